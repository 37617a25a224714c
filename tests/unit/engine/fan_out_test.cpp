#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stop_token>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/module.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<int> numbers(int count) {
  std::vector<int> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

// Inputs that are plain data: those of other kinds are in several_test.cpp.
class fan_out_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(fan_out_test, outcomes_come_in_the_order_of_the_inputs) {
  const auto twice = engine_.deploy("twice", [](context& ctx, const int& x) {
    if (x % 7 == 0) ctx.yield();
    return 2 * x;
  });
  const auto sum = engine_.deploy("sum", [&](context&, int count) {
    int right = 0;
    for (const auto& each : twice.invoke_all(numbers(count))) {
      right += each.value() == 2 * right ? 1 : 0;
    }
    return right;
  });

  for (const int count : {0, 1, 31, 32, 33, 500}) {
    EXPECT_EQ(sum(count).value(), count);
    EXPECT_EQ(twice.invoke_all(numbers(count)).size(),
              static_cast<std::size_t>(count));
  }
  EXPECT_EQ(engine_.stats().in_flight, 0);
}

TEST_P(fan_out_test, those_above_a_limit_are_throttled) {
  const auto nap = engine_.deploy(
      "nap", [](context& ctx, int) { ctx.sleep_for(milliseconds(200)); },
      {.max_concurrency = 5});

  const auto all = nap.invoke_all(numbers(40));

  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].code(), i < 5 ? errc::ok : errc::throttled) << i;
  }
}

TEST_P(fan_out_test, a_stop_token_cancels_all_that_have_not_settled) {
  std::stop_source stop;
  const auto nap = engine_.deploy("nap", [&](context& ctx, int x) {
    if (x == 0) return;
    if (x == 39) stop.request_stop();
    ctx.sleep_for(seconds(60));
  });
  const hotplate::invoke_options options{.stop = stop.get_token()};

  const auto all = nap.with(options).invoke_all(numbers(40));

  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(all[i].code(), errc::cancelled) << i;
  }
}

// What it leaves would keep the code of this program in use.
TEST_P(fan_out_test, a_caller_whose_time_is_over_leaves_them_to_themselves) {
  const auto nap = engine_.deploy("nap", [](context& ctx, int x) {
    if (x > 3) ctx.sleep_for(seconds(60));
  });
  const auto wait = engine_.deploy(
      "wait", [&](context&) { (void)nap.invoke_all(numbers(40)); },
      {.timeout = milliseconds(20)});

  EXPECT_EQ(wait().code(), errc::timed_out);

  engine_.remove("wait");
  engine_.remove("nap");
  EXPECT_THAT(engine_.drain(hotplate::this_module(), seconds(5)),
              testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(workers, fan_out_test, testing::Values(0, 1, 2, 4));

// Each holds its worker until all run, and nobody stands in for those.
TEST(fan_out_wake_test, as_many_workers_wake_up_as_there_are_invocations) {
  constexpr int workers = 7;
  hotplate::engine engine({.workers = workers,
                           .max_spare_threads = 0,
                           .spin = std::chrono::microseconds(0)});
  std::atomic<int> running = 0;
  const auto meet = engine.deploy("meet", [&](context&, int count) {
    ++running;
    return becomes_true([&] { return running >= count; });
  });
  const auto fan =
      engine.deploy("fan",
                    [&](context&, int count) {
                      bool all = true;
                      for (const auto& each : meet.invoke_all(std::vector<int>(
                               static_cast<std::size_t>(count), count))) {
                        all = all && each.value();
                      }
                      return all;
                    },
                    {.timeout = seconds(60)});

  for (int round = 0; round < 20; ++round) {
    const int count = 1 + round % workers;
    running = 0;
    EXPECT_TRUE(fan(count).value()) << "by a handler, " << count;
    std::this_thread::sleep_for(milliseconds(1));
    running = 0;
    for (const auto& each : meet.invoke_all(
             std::vector<int>(static_cast<std::size_t>(count), count))) {
      EXPECT_TRUE(each.value()) << "by a thread, " << count;
    }
    std::this_thread::sleep_for(milliseconds(1));  // So that workers sleep.
  }
}

}  // namespace
