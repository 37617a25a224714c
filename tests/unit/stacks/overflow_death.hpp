#pragma once

#include <gtest/gtest.h>

#include "hotplate/version.hpp"

class overflow_death_test : public testing::Test {
 protected:
  void SetUp() override {
#if defined(HOTPLATE_ASAN) || defined(HOTPLATE_TSAN)
    GTEST_SKIP() << "the sanitizer's runtime takes SIGSEGV for itself";
#endif
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};
