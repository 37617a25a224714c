#include <gtest/gtest.h>

#include <optional>

#include "sharing.hpp"

namespace {

using hotplate::errc;
using hotplate::retire_reason;
using std::chrono::hours;
using std::chrono::seconds;

TEST_F(share_test, a_removed_function_s_instance_ends_with_its_last_user) {
  const auto f = deploy({.instance_concurrency = 2});
  auto a = start(f, seconds(1));
  auto b = start(f, seconds(2));

  engine_.remove("f");
  EXPECT_TRUE(a.get());
  EXPECT_EQ(counts_.alive(), 1);
  EXPECT_TRUE(b.get());

  EXPECT_EQ(counts_.retired_for(retire_reason::removed), 1);
}

TEST_F(share_test, a_redeployed_version_takes_no_joiners) {
  const auto f = deploy({.instance_concurrency = 9});
  auto a = start(f, seconds(1));
  deploy({.instance_concurrency = 9});

  EXPECT_EQ(engine_.invoke("f:1", "1").code(), errc::no_codec);
  EXPECT_EQ(f(now).value(), 1);
  EXPECT_EQ(a.get().value(), 0);
  EXPECT_EQ(counts_.retired_for(retire_reason::redeployed), 1);
}

TEST_F(share_test, closing_waits_for_all_that_use_one) {
  std::optional<hotplate::engine> brief(
      std::in_place, hotplate::engine_config{.workers = 0, .clock = &clock_});
  const auto f = brief->deploy<shared_state>("f", {.instance_concurrency = 2});
  auto a = f.async(hours(1));
  auto b = f.async(hours(1));
  brief->poll();
  a.detach();
  b.detach();

  brief.reset();

  EXPECT_EQ(counts_.made, 1);
  EXPECT_EQ(counts_.alive(), 0);
}

}  // namespace
