#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "frames.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using testing::HasSubstr;

constexpr std::size_t smallest = 16 * kibibyte;
constexpr std::size_t largest = 64 * kibibyte * kibibyte;

class stack_size_test : public testing::Test {
 protected:
  hotplate::engine engine_{{.workers = 0}};
};

TEST_F(stack_size_test, a_frame_of_200_kib_fits_the_256_of_the_default) {
  const auto large = engine_.deploy("large", &use_frame<200 * kibibyte>);

  EXPECT_EQ(large().value(), 1);
}

TEST_F(stack_size_test, the_smallest_and_the_largest_run) {
  for (const std::size_t bytes : {smallest, largest}) {
    const auto small =
        engine_.deploy("small", [] { return 1; }, {.stack_bytes = bytes});

    EXPECT_EQ(small().value(), 1) << bytes;
  }
}

TEST_F(stack_size_test, a_large_one_can_be_used_to_its_end) {
  const auto large = engine_.deploy(
      "large", &use_frame<largest / 16 * 15>,
      {.timeout = std::chrono::minutes(1), .stack_bytes = largest});

  EXPECT_EQ(large().value(), 1);
}

TEST_F(stack_size_test, sizes_beyond_the_limits_are_refused_at_deploy) {
  for (const std::size_t bytes :
       {std::size_t{0}, smallest - 1, largest + 1, ~std::size_t{0}}) {
    try {
      engine_.deploy("odd", [] {}, {.stack_bytes = bytes});
      ADD_FAILURE() << bytes;
    } catch (const hotplate::bad_config& why) {
      EXPECT_THAT(why.what(), HasSubstr("stack_bytes = "));
      EXPECT_THAT(why.what(), HasSubstr("16384 to 67108864"));
    }
  }
}

TEST_F(stack_size_test, each_size_has_its_own_which_it_uses_again) {
  std::vector<hotplate::function<void()>> functions;
  for (const std::size_t size : {16U, 64U, 100U, 128U}) {  // 100 is rounded up.
    functions.push_back(engine_.deploy("f" + std::to_string(size), [] {},
                                       {.stack_bytes = size * kibibyte}));
  }

  for (int i = 0; i < 100; ++i) {
    for (const auto& each : functions) (void)each();
  }

  EXPECT_EQ(engine_.stats().stacks, 3U);
}

TEST_F(stack_size_test, a_second_burst_makes_no_new_ones) {
  hotplate::semaphore gate(engine_, 0);
  const auto park = engine_.deploy("park", [&](context&) { gate.acquire(); },
                                   {.stack_bytes = smallest});

  for (int burst = 0; burst < 3; ++burst) {
    std::vector<hotplate::pending<void>> all;
    for (int i = 0; i < 50; ++i) all.push_back(park.async());
    engine_.poll();
    EXPECT_EQ(engine_.stats().stacks, 50U);
    for (int i = 0; i < 50; ++i) gate.release();
    for (auto& each : all) EXPECT_TRUE(each.get());
  }
}

}  // namespace
