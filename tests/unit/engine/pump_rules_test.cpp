#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

// Who may pump, and what comes first at equal times.

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class pump_rules_test : public testing::Test {
 protected:
  hotplate::manual_clock clock_;
  std::vector<std::string> log_;
  engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(pump_rules_test, at_equal_times_arrivals_come_before_deadlines) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(60)); },
                     {.timeout = seconds(3), .max_concurrency = 1});
  auto first = nap.async();

  engine_.run_until(hotplate::time_point(seconds(3)));

  EXPECT_FALSE(first.ready()) << "its deadline is now";
  EXPECT_EQ(nap.async().get().code(), errc::throttled) << "it has its place";
  engine_.poll();
  EXPECT_EQ(first.get().code(), errc::timed_out);
}

// Tells when it is destroyed.
struct leaving {
  std::vector<std::string>* log;
  void on_retire(hotplate::retire_reason why) noexcept {
    log->emplace_back(to_string(why));
  }
  void operator()(context&) {}
};

TEST_F(pump_rules_test, and_deadlines_before_keep_alive_expiry) {
  constexpr auto then = seconds(2);
  engine_.deploy("idle", leaving{&log_}, {.keep_alive = seconds(2)})().value();
  const auto nap = engine_.deploy("nap", [&](context& ctx) {
    const std::stop_callback ending(ctx.stop_token(),
                                    [&] { log_.emplace_back("timed_out"); });
    ctx.sleep_for(seconds(60));
  });
  auto late = nap.with({.deadline = engine_.now() + then}).async();
  const auto wake = engine_.deploy("wake", [&](context& ctx) {
    ctx.sleep_for(then);
    log_.emplace_back("completed");
  });
  auto punctual = wake.async();

  engine_.run_for(seconds(3));

  EXPECT_THAT(log_, ElementsAre("completed", "timed_out", "expired"));
}

TEST_F(pump_rules_test, waiting_until_it_completes_sees_it_complete) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  auto started = nap.async();

  EXPECT_FALSE(started.wait_until(hotplate::time_point(milliseconds(999))));
  EXPECT_TRUE(started.wait_until(hotplate::time_point(seconds(1))));
  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(1));
}

TEST_F(pump_rules_test, a_handler_does_not_pump) {
  int other_ran = 0;
  const auto other = engine_.deploy("other", [&](context&) { ++other_ran; });
  const auto tries = engine_.deploy("tries", [&](context&) {
    auto started = other.async();
    EXPECT_EQ(engine_.poll(), 0U);
    engine_.run_until_idle();
    engine_.run_for(seconds(1));
    EXPECT_EQ(other_ran, 0);
    EXPECT_TRUE(started.get()) << "it suspends";
  });

  EXPECT_TRUE(tries());
  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(0));
}

TEST_F(pump_rules_test, draining_in_a_handler_ends_although_it_runs) {
  const auto drains = engine_.deploy("drains", [&](context&) {
    EXPECT_EQ(engine_.drain(seconds(1)).running.size(), 1U) << "itself";
  });

  EXPECT_EQ(drains().code(), errc::draining);
}

TEST_F(pump_rules_test, a_continuation_does_not_pump_but_suspends) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  auto last = nap.async().then([&](auto&&) {
    EXPECT_EQ(engine_.poll(), 0U);
    return nap().usage().duration;
  });

  EXPECT_EQ(last.get().value(), seconds(1));
}

TEST_F(pump_rules_test, who_waits_beside_the_pumper_does_not_move_its_clock) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  auto sleeping = nap.async();
  engine_.poll();
  std::thread other;
  const auto busy = engine_.deploy("busy", [&] {
    std::atomic<bool> asks = false;
    other = std::thread([&] {
      asks = true;
      (void)sleeping.get();
    });
    while (!asks) std::this_thread::yield();
    // Long enough for it to do what it must not.
    std::this_thread::sleep_for(milliseconds(5));
    return engine_.now().time_since_epoch();
  });
  auto pumped = busy.async();

  engine_.poll();

  other.join();
  EXPECT_EQ(pumped.get().value(), seconds(0)) << "while the first was at it";
  EXPECT_EQ(engine_.now().time_since_epoch(), seconds(1)) << "it took over";
}

TEST(pump_rules, one_thread_pumps_at_a_time_and_the_next_is_not_kept) {
  engine on({.workers = 0});
  std::optional<std::size_t> second;
  const auto handler = on.deploy("handler", [&](context&) {
    std::thread([&] { second = on.poll(); }).join();
  });
  auto started = handler.async();

  EXPECT_EQ(on.poll(), 1U);

  EXPECT_EQ(second, 0U) << "while the first was at it";
  EXPECT_TRUE(started.get());
}

TEST(pump_rules, others_wait_for_the_pumper_and_take_over_from_it) {
  engine on({.workers = 0});
  const auto inner = on.deploy("inner", [](context&) { return 1; });
  std::thread other;
  std::atomic<bool> asks = false, answered = false;
  const auto outer = on.deploy("outer", [&](context& ctx) {
    other = std::thread([&] {
      asks = true;
      answered = inner().value() == 1;
    });
    while (!asks) std::this_thread::yield();
    // It is served here, or goes on by itself once this one has ended.
    ctx.sleep_for(milliseconds(2));
  });

  EXPECT_TRUE(outer());
  other.join();
  EXPECT_TRUE(answered);
}

// A hostile clock would otherwise be pumped to for ever.
TEST(pump_rules, waiting_ends_in_time_although_others_go_on_and_on) {
  engine on({.workers = 0});
  const auto busy = on.deploy("busy",
                              [](context& ctx) {
                                for (;;) ctx.yield();
                              },
                              {.timeout = seconds(2)});
  auto one = busy.async();

  const auto before = on.now();
  EXPECT_FALSE(one.wait_until(before + milliseconds(20)));

  EXPECT_LT(on.now() - before, seconds(1));
  one.cancel();
  EXPECT_EQ(one.get().code(), errc::cancelled);
}

}  // namespace
