#include <gtest/gtest.h>

#include <string>

#include "frames.hpp"
#include "hotplate/engine.hpp"

namespace {

using hotplate::context;

constexpr std::size_t page = 4 * kibibyte;

class stack_use_test : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
#if defined(HOTPLATE_ASAN)
    GTEST_SKIP() << "frames stand on the heap with stack-use-after-return";
#endif
  }

  std::size_t peak_of(const std::string& name) const {
    for (const hotplate::function_stats& each : engine_.functions()) {
      if (each.name == name) return each.stack_peak_bytes;
    }
    return 0;
  }

  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(stack_use_test, a_frame_of_100_kib_is_seen_to_two_pages) {
  const auto large = engine_.deploy("large", &use_frame<100 * kibibyte>,
                                    {.measure_stack = true});

  EXPECT_EQ(large().value(), 1);

  EXPECT_GE(peak_of("large"), 100 * kibibyte);
  EXPECT_LE(peak_of("large"), 100 * kibibyte + 2 * page);
}

TEST_P(stack_use_test, the_deepest_use_stays) {
  const auto varying = engine_.deploy("varying", &use, {.measure_stack = true});

  for (const std::size_t depth : {1U, 60U, 2U}) (void)varying(depth * kibibyte);

  EXPECT_GE(peak_of("varying"), 56 * kibibyte);
}

TEST_P(stack_use_test, an_empty_handler_takes_two_pages_at_most) {
  const auto empty = engine_.deploy("empty", [] {}, {.measure_stack = true});

  for (int i = 0; i < 10; ++i) (void)empty();

  EXPECT_GE(peak_of("empty"), page);
  EXPECT_LE(peak_of("empty"), 2 * page);
}

TEST_P(stack_use_test, each_function_has_its_own_figure) {
  const auto small = engine_.deploy("small", [] {}, {.measure_stack = true});
  const auto common = engine_.deploy("common", &use);
  const auto caller = engine_.deploy("caller",
                                     [&](context&) {
                                       (void)small();
                                       return common(150 * kibibyte).value();
                                     },
                                     {.measure_stack = true});

  for (int i = 0; i < 10; ++i) (void)caller();

  EXPECT_LE(peak_of("small"), 3 * page);
  EXPECT_LE(peak_of("caller"), 3 * page);
  EXPECT_EQ(peak_of("common"), 0U) << "not asked for";
}

struct hungry_start {
  hungry_start() : value(use(40 * kibibyte)) {}
  int operator()() const { return value; }
  int value;
};

TEST_P(stack_use_test, a_cold_start_counts) {
  engine_.deploy<hungry_start>("starter", {.measure_stack = true});

  (void)engine_.invoke("starter");

  EXPECT_GE(peak_of("starter"), 36 * kibibyte);
}

TEST_P(stack_use_test, versions_of_a_function_count_together) {
  engine_.deploy("twice", &use, {.measure_stack = true});
  (void)engine_.invoke("twice", "40000");
  engine_.deploy("twice", &use,
                 {.stack_bytes = 64 * kibibyte, .measure_stack = true});
  (void)engine_.invoke("twice", "1");

  EXPECT_GE(peak_of("twice"), 36'000U);
}

TEST_P(stack_use_test, more_functions_than_can_be_measured_are_refused) {
  const auto deploy = [&](int number) {
    engine_.deploy(std::to_string(number), [] {}, {.measure_stack = true});
  };
  for (int i = 0; i < 229; ++i) deploy(i);

  EXPECT_THROW(deploy(229), hotplate::bad_config);
  EXPECT_NO_THROW(deploy(1)) << "again, on the stacks that it has";
  engine_.deploy("unmeasured", [] {});
}

INSTANTIATE_TEST_SUITE_P(workers, stack_use_test, testing::Values(0, 1, 2));

}  // namespace
