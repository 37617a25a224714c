#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::start_kind;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class pump_test : public testing::Test {
 protected:
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(pump_test, usage_is_exact_on_a_manual_clock) {
  const auto nap = engine_.deploy(
      "nap", [](context& ctx) { ctx.sleep_for(milliseconds(1500)); });

  const auto outcome = nap();

  const hotplate::usage used = outcome.usage();
  EXPECT_EQ(used.duration, milliseconds(1500));
  EXPECT_EQ(used.suspended, milliseconds(1500));
  EXPECT_EQ(used.running(), milliseconds(0));
  EXPECT_EQ(used.billed(), milliseconds(1500));
  EXPECT_DOUBLE_EQ(used.gb_seconds(), 0.1875);
}

TEST_F(pump_test, a_callers_duration_contains_its_callees) {
  const auto nap = engine_.deploy(
      "nap", [](context& ctx) { ctx.sleep_for(milliseconds(100)); });
  const auto outer = engine_.deploy("outer", [&](context& ctx) {
    nap().value();
    return ctx.usage_so_far();
  });

  const auto outcome = outer();

  EXPECT_EQ(outcome.usage().duration, milliseconds(100));
  EXPECT_EQ(outcome.usage().suspended, milliseconds(100));
  EXPECT_EQ(outcome.value().duration, milliseconds(100));
}

TEST_F(pump_test, a_timeout_comes_exactly_at_its_time) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(10)); });

  const auto late = nap();

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(late.usage().duration, seconds(3));
  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(3));
}

TEST_F(pump_test, what_completes_at_its_deadline_is_in_time) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(3)); });

  EXPECT_TRUE(nap());
}

TEST_F(pump_test, nothing_runs_until_the_host_pumps) {
  int ran = 0;
  const auto touch = engine_.deploy("touch", [&](context&) { ++ran; });

  auto started = touch.async();
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(engine_.poll(), 1U);

  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(started.ready());
}

TEST_F(pump_test, run_until_steps_over_every_timer_in_order) {
  std::vector<std::pair<int, milliseconds>> log;
  const auto nap = engine_.deploy("nap", [&](context& ctx, int ms) {
    ctx.sleep_for(milliseconds(ms));
    log.emplace_back(ms, std::chrono::duration_cast<milliseconds>(
                             ctx.now().time_since_epoch()));
  });
  { auto a = nap.async(300), b = nap.async(100), c = nap.async(200); }

  engine_.run_until(hotplate::time_point(milliseconds(250)));

  const std::vector<std::pair<int, milliseconds>> expected = {
      {100, milliseconds(100)}, {200, milliseconds(200)}};
  EXPECT_EQ(log, expected);
  EXPECT_EQ(clock_.now().time_since_epoch(), milliseconds(250));
  EXPECT_EQ(engine_.stats().in_flight, 1);
}

TEST_F(pump_test, run_until_idle_ends_with_the_last_invocation) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(2)); });
  { auto dropped = nap.async(); }

  engine_.run_until_idle();

  EXPECT_EQ(engine_.stats().in_flight, 0);
  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(2));
  EXPECT_EQ(engine_.functions()[0].instances, 1U) << "warm, not waited for";
}

TEST_F(pump_test, keep_alive_ends_after_its_time_and_not_at_it) {
  const auto call =
      engine_.deploy("call", [](context&) {}, {.keep_alive = minutes(10)});
  EXPECT_EQ(call().usage().start, start_kind::cold);

  engine_.run_for(minutes(10));
  EXPECT_EQ(call().usage().start, start_kind::warm) << "an arrival comes first";
  engine_.run_for(minutes(10) + std::chrono::nanoseconds(1));

  EXPECT_EQ(engine_.functions()[0].instances, 0U);
  EXPECT_EQ(call().usage().start, start_kind::cold);
}

TEST_F(pump_test, idle_instances_are_counted_until_they_are_evicted) {
  const auto call =
      engine_.deploy("call", [](context&) {}, {.keep_alive = minutes(10)});
  call().value();
  engine_.run_for(minutes(4));
  call().value();

  engine_.run_for(minutes(3));
  EXPECT_EQ(engine_.functions()[0].idle, minutes(7));

  engine_.run_for(minutes(60));
  EXPECT_EQ(engine_.functions()[0].idle, minutes(14));
}

TEST_F(pump_test, the_instance_used_last_is_used_again) {
  struct numbered {
    explicit numbered(hotplate::init_context&) {}
    const void* operator()(context& ctx, int ms) {
      ctx.sleep_for(milliseconds(ms));
      return this;
    }
  };
  const auto which = engine_.deploy<numbered>("which");
  auto first = which.async(10);
  auto second = which.async(20);
  engine_.run_until_idle();
  first.get().value();

  EXPECT_EQ(which(0).value(), second.get().value());
}

TEST_F(pump_test, the_same_calls_come_in_the_same_order) {
  const auto run = [] {
    hotplate::manual_clock clock;
    std::string log;
    hotplate::engine engine({.workers = 0, .clock = &clock});
    const auto step = engine.deploy("step", [&](context& ctx, int n) {
      ctx.sleep_for(milliseconds((n * 7919) % 13));
      log += std::to_string(n) + ' ';
      if (n % 3 == 0) ctx.yield();
      log += std::to_string(-n) + ' ';
    });
    for (int i = 0; i < 100; ++i) auto dropped = step.async(i);
    engine.run_until_idle();
    return log;
  };

  EXPECT_EQ(run(), run());
}

TEST_F(pump_test, a_manual_clock_needs_a_host_pumped_engine) {
  EXPECT_THROW(hotplate::engine({.workers = 1, .clock = &clock_}),
               hotplate::bad_config);
}

TEST(pump, any_thread_may_invoke_while_one_pumps) {
  std::atomic<int> right = 0;
  hotplate::engine engine({.workers = 0});
  const auto add =
      engine.deploy("add", [](context&, int a, int b) { return a + b; });
  std::vector<std::thread> callers;

  for (int t = 0; t < 4; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 500; ++i) right += add(i, 1).value() == i + 1;
    });
  }
  for (auto& caller : callers) caller.join();

  EXPECT_EQ(right, 2000);
}

}  // namespace
