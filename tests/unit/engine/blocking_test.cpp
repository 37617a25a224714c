#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <fstream>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::string name_of_this_thread() {
  std::string name;
  std::getline(std::ifstream("/proc/thread-self/comm"), name);
  return name;
}

class blocking_test : public testing::Test {
 protected:
  std::size_t threads() { return engine_.describe().blocking_threads; }

  hotplate::engine engine_{
      {.workers = 1, .max_spare_threads = 0, .max_blocking_threads = 3}};
};

TEST_F(blocking_test, runs_outside_the_pool_which_stays_free) {
  std::latch release(1);
  const auto block = engine_.deploy("block",
                                    [&](context&) {
                                      release.wait();
                                      return name_of_this_thread();
                                    },
                                    {.blocking = true});
  const auto add =
      engine_.deploy("add", [](context&, int a, int b) { return a + b; });
  auto first = block.async();
  auto second = block.async();

  EXPECT_EQ(add(1, 2).value(), 3) << "the only worker is free";
  release.count_down();
  EXPECT_THAT(first.get().value(), testing::StartsWith("hotplate/b"));
  EXPECT_THAT(second.get().value(), testing::StartsWith("hotplate/b"));
}

TEST_F(blocking_test, is_bounded_queues_and_serves_in_order) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto block = engine_.deploy(
      "block",
      [&](context&) {
        const int now = ++running;
        int seen = most;
        while (seen < now && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::sleep_for(milliseconds(10));
        --running;
      },
      {.blocking = true});
  std::vector<hotplate::pending<void>> all;
  for (int i = 0; i < 12; ++i) all.push_back(block.async());
  for (auto& each : all) EXPECT_TRUE(each.get());

  EXPECT_EQ(most, 3);
  EXPECT_EQ(engine_.stats().in_flight, 0);
}

TEST_F(blocking_test, threads_end_when_nobody_needs_them) {
  const auto block =
      engine_.deploy("block", [](context&) {}, {.blocking = true});
  EXPECT_TRUE(block());
  EXPECT_EQ(threads(), 1U);
  EXPECT_TRUE(becomes_true([&] { return threads() == 0; }));
  EXPECT_TRUE(block()) << "and start again";
}

TEST_F(blocking_test, may_invoke_and_suspend_as_any_other) {
  const auto add = engine_.deploy("add", [](context& ctx, int a, int b) {
    ctx.sleep_for(milliseconds(2));
    return a + b;
  });
  const auto block = engine_.deploy("block",
                                    [&](context& ctx) {
                                      const auto before = gettid();
                                      int sum = add(1, 2).value();
                                      sum += add.async(3, 4).get().value();
                                      ctx.sleep_for(milliseconds(2));
                                      EXPECT_EQ(before, gettid());
                                      return sum;
                                    },
                                    {.blocking = true});
  EXPECT_EQ(block().value(), 10);
}

TEST_F(blocking_test, a_handler_that_calls_one_suspends_meanwhile) {
  std::latch release(1);
  const auto block = engine_.deploy("block",
                                    [&](context&) {
                                      release.wait();
                                      return gettid();
                                    },
                                    {.blocking = true});
  const auto outer = engine_.deploy(
      "outer", [&](context&) { return block().value() != gettid(); });
  const auto free =
      engine_.deploy("free", [&](context&) { release.count_down(); });
  auto pending = outer.async();
  EXPECT_TRUE(free()) << "the only worker, though outer waits";
  EXPECT_TRUE(pending.get().value());
}

TEST_F(blocking_test, a_caller_is_answered_at_its_deadline) {
  std::latch release(1);
  const auto block =
      engine_.deploy("block", [&](context&) { release.wait(); },
                     {.timeout = milliseconds(30), .blocking = true});
  EXPECT_EQ(block().code(), errc::timed_out);
  EXPECT_EQ(engine_.in_flight().size(), 1U);
  EXPECT_TRUE(engine_.in_flight()[0].overrun);
  EXPECT_EQ(engine_.in_flight()[0].worker, 1 + 64) << "after the guests";
  release.count_down();
  EXPECT_TRUE(becomes_true([&] { return engine_.stats().in_flight == 0; }));
}

TEST_F(blocking_test, cancelled_at_its_suspension_point) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(100)); },
                     {.timeout = seconds(900), .blocking = true});
  auto sleeping = nap.async();
  ASSERT_TRUE(becomes_true([&] {
    const auto seen = engine_.in_flight();
    return seen.size() == 1 &&
           seen[0].state == hotplate::invocation_state::suspended;
  }));
  sleeping.cancel();
  EXPECT_EQ(sleeping.get().code(), errc::cancelled);
  EXPECT_TRUE(becomes_true([&] { return engine_.stats().in_flight == 0; }));
}

TEST_F(blocking_test, continuations_follow_it) {
  const auto block =
      engine_.deploy("block", [](context&) { return 20; }, {.blocking = true});
  auto next = block.async().then(
      [](hotplate::outcome<int> seen) { return seen.value() + 1; });
  EXPECT_EQ(next.get().value(), 21);
}

TEST(blocking_pumped_test, runs_inline) {
  hotplate::engine engine({.workers = 0});
  const auto block = engine.deploy("block", [](context&) { return gettid(); },
                                   {.blocking = true});
  EXPECT_EQ(block().value(), gettid());
}

TEST_F(blocking_test, rounds_as_the_engines_maker_did) {
  const auto next = engine_.deploy(
      "next", [](context&) { return std::fegetround(); }, {.blocking = true});
  const auto careless = engine_.deploy("careless",
                                       [&](context&) {
                                         std::fesetround(FE_UPWARD);
                                         // On a thread that is made now.
                                         return next().value();
                                       },
                                       {.blocking = true});

  EXPECT_EQ(careless().value(), FE_TONEAREST);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(next().value(), FE_TONEAREST);
}

}  // namespace
