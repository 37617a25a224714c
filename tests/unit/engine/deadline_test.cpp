#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::stage;
using std::chrono::milliseconds;
using std::chrono::seconds;

class deadline_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(deadline_test, a_sleeper_is_thrown_out_at_its_timeout) {
  std::atomic<bool> unwound = false;
  const auto sleep = engine_.deploy("sleep",
                                    [&](context& ctx) {
                                      struct on_exit {
                                        std::atomic<bool>& flag;
                                        ~on_exit() { flag = true; }
                                      } guard{unwound};
                                      ctx.sleep_for(seconds(100));
                                    },
                                    {.timeout = milliseconds(20)});

  const auto late = sleep();

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(late.error().reached, stage::handler);
  EXPECT_GE(late.usage().duration, milliseconds(20));
  engine_.drain(seconds(10));
  EXPECT_TRUE(unwound);
}

TEST_P(deadline_test, a_nested_call_inherits_the_nearer_deadline) {
  const auto inner =
      engine_.deploy("inner", [](context& ctx) { ctx.sleep_for(seconds(100)); },
                     {.timeout = seconds(200)});
  const auto outer = engine_.deploy("outer", [&](context&) { inner().value(); },
                                    {.timeout = milliseconds(20)});

  EXPECT_EQ(outer().code(), errc::timed_out);

  engine_.drain(seconds(10));
  const auto functions = engine_.functions();
  EXPECT_EQ(functions[0].count(errc::timed_out), 1U) << "inner, with it";
}

TEST_P(deadline_test, a_caller_may_be_in_more_of_a_hurry_than_the_function) {
  const auto sleep =
      engine_.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(2)); });

  const auto late =
      sleep.with({.deadline = engine_.now() + milliseconds(20)})();

  EXPECT_EQ(late.code(), errc::timed_out);
}

TEST_P(deadline_test, a_cancelled_sleeper_is_thrown_out) {
  const auto sleep =
      engine_.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(2)); });
  auto started = sleep.async();
  started.wait_until(engine_.now() + milliseconds(5));

  started.cancel();

  EXPECT_EQ(started.get().code(), errc::cancelled);
  EXPECT_TRUE(engine_.drain(seconds(1)).running.empty());
}

TEST_P(deadline_test, cancelling_reaches_whom_the_cancelled_waits_for) {
  std::atomic<bool> asleep = false;
  const auto inner = engine_.deploy("inner", [&](context& ctx) {
    asleep = true;
    ctx.sleep_for(seconds(2));
  });
  const auto outer =
      engine_.deploy("outer", [&](context&) { inner().value(); });
  auto started = outer.async();
  while (!asleep) started.wait_until(engine_.now() + milliseconds(1));

  started.cancel();

  EXPECT_EQ(started.get().code(), errc::cancelled);
  engine_.drain(seconds(1));
  EXPECT_EQ(engine_.functions()[0].count(errc::cancelled), 1U);
}

TEST_P(deadline_test, a_swallowed_cancellation_comes_back) {
  std::atomic<int> thrown = 0;
  const auto stubborn = engine_.deploy("stubborn",
                                       [&](context& ctx) {
                                         for (int i = 0; i < 3; ++i) {
                                           try {
                                             ctx.sleep_for(seconds(1));
                                           } catch (...) {
                                             ++thrown;
                                           }
                                         }
                                       },
                                       {.timeout = milliseconds(400)});

  EXPECT_EQ(stubborn().code(), errc::timed_out);

  engine_.drain(seconds(10));
  EXPECT_EQ(thrown, 3);
}

TEST_P(deadline_test, destructors_may_wait_while_a_cancelled_handler_unwinds) {
  const auto inner = engine_.deploy("inner", [](context&) {});
  const auto outer = engine_.deploy("outer",
                                    [&](context& ctx) {
                                      struct cleaner {
                                        context& ctx;
                                        const hotplate::function<void()>& inner;
                                        ~cleaner() {
                                          EXPECT_FALSE(inner());
                                          ctx.sleep_for(seconds(1));
                                        }
                                      } guard{ctx, inner};
                                      ctx.sleep_for(seconds(100));
                                    },
                                    {.timeout = milliseconds(10)});

  EXPECT_EQ(outer().code(), errc::timed_out);
  EXPECT_TRUE(engine_.drain(seconds(10)).running.empty());
}

INSTANTIATE_TEST_SUITE_P(workers, deadline_test, testing::Values(0, 1, 2));

// With workers only: nobody watches a host-pumped engine.

TEST(watchdog, answers_the_caller_of_a_handler_that_never_suspends) {
  std::atomic<bool> stop = false;
  hotplate::engine engine({.workers = 1});
  const auto spin = engine.deploy("spin",
                                  [&](context&) {
                                    while (!stop) std::this_thread::yield();
                                  },
                                  {.timeout = milliseconds(20)});

  const auto late = spin();

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(engine.stats().in_flight, 1) << "an overrun counts";
  stop = true;
  engine.drain(seconds(10));
  EXPECT_EQ(engine.stats().overruns, 1U);
  EXPECT_EQ(engine.functions()[0].instances, 0U) << "retired (P4)";
}

TEST(watchdog, a_function_full_of_overruns_is_throttled_for_that_reason) {
  std::atomic<bool> stop = false;
  hotplate::engine engine({.workers = 2});
  const auto spin =
      engine.deploy("spin",
                    [&](context&) {
                      while (!stop) std::this_thread::yield();
                    },
                    {.timeout = milliseconds(5), .max_concurrency = 1});
  const auto other = engine.deploy("other", [](context&) {});
  EXPECT_EQ(spin().code(), errc::timed_out);

  const auto refused = spin();

  ASSERT_EQ(refused.code(), errc::throttled);
  EXPECT_EQ(refused.error().message,
            "function spin is throttled: 1 of 1 concurrent invocations of this "
            "function are in flight, 1 of them overruns");
  EXPECT_TRUE(other()) << "others go on";
  stop = true;
  engine.drain(seconds(10));
  EXPECT_EQ(engine.stats().in_flight, 0);
}

TEST(watchdog, answers_a_caller_that_waits_behind_a_held_worker) {
  std::atomic<bool> stop = false;
  hotplate::engine engine({.workers = 1});
  const auto spin = engine.deploy("spin", [&](context&) {
    while (!stop) std::this_thread::yield();
  });
  const auto quick =
      engine.deploy("quick", [](context&) {}, {.timeout = milliseconds(20)});
  auto hog = spin.async();

  const auto late = quick();

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(late.error().reached, stage::queue);
  stop = true;
  EXPECT_TRUE(hog.get());
}

}  // namespace
