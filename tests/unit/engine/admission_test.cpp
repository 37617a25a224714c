#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::bad_config;
using hotplate::context;
using hotplate::errc;
using hotplate::stage;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One handler runs at a time here, each for a second of virtual time.
class admission_test : public testing::Test {
 protected:
  static constexpr auto nap = [](context& ctx) { ctx.sleep_for(seconds(1)); };

  hotplate::manual_clock clock_;
  hotplate::engine engine_{
      {.workers = 0, .max_concurrency = 4, .clock = &clock_}};
};

TEST_F(admission_test, a_full_function_refuses_and_says_when_to_try_again) {
  const auto slow = engine_.deploy("slow", nap, {.max_concurrency = 1});
  slow().value();
  const auto first = slow.async();

  auto second = slow();

  ASSERT_EQ(second.code(), errc::throttled);
  EXPECT_EQ(second.error().message,
            "function slow is throttled: 1 of 1 concurrent invocations of this "
            "function are in flight");
  EXPECT_EQ(second.error().limit, 1);
  EXPECT_EQ(second.error().retry_after, seconds(1));
}

TEST_F(admission_test, those_who_may_wait_come_in_one_after_the_other) {
  const auto slow =
      engine_.deploy("slow", nap, {.max_concurrency = 1, .max_waiting = 2});
  std::vector<hotplate::pending<void>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(slow.async());
  EXPECT_EQ(engine_.stats().waiting, 2);

  engine_.run_until_idle();

  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(calls[static_cast<std::size_t>(i)].get().usage().queued,
              seconds(i));
  }
  EXPECT_EQ(engine_.functions()[0].peak_in_flight, 1);
}

TEST_F(admission_test, one_more_than_may_wait_is_throttled) {
  const auto slow =
      engine_.deploy("slow", nap, {.max_concurrency = 1, .max_waiting = 1});
  const auto running = slow.async();
  const auto waiting = slow.async();

  EXPECT_EQ(slow().code(), errc::throttled);
}

TEST_F(admission_test, waiting_ends_at_the_functions_timeout) {
  const auto slow = engine_.deploy(
      "slow", nap,
      {.timeout = milliseconds(1500), .max_concurrency = 1, .max_waiting = 2});
  const auto first = slow.async();
  const auto second = slow.async();
  auto third = slow.async();

  const auto late = third.get();

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(late.error().reached, stage::admission);
  EXPECT_EQ(late.usage().queued, milliseconds(1500));
  EXPECT_EQ(engine_.stats().waiting, 0);
}

TEST_F(admission_test, waiting_ends_when_it_is_cancelled) {
  const auto slow =
      engine_.deploy("slow", nap, {.max_concurrency = 1, .max_waiting = 2});
  const auto first = slow.async();
  auto second = slow.async();
  auto third = slow.async();

  second.cancel();

  EXPECT_EQ(second.get().code(), errc::cancelled);
  EXPECT_EQ(third.get().usage().queued, seconds(1));
}

TEST_F(admission_test, a_handler_waits_for_a_place_without_holding_its_thread) {
  const auto slow =
      engine_.deploy("slow", nap, {.max_concurrency = 1, .max_waiting = 2});
  const auto outer = engine_.deploy("outer", [&](context&) { slow().value(); });
  auto one = outer.async();
  auto two = outer.async();

  EXPECT_EQ(one.get().usage().duration, seconds(1));
  EXPECT_EQ(two.get().usage().duration, seconds(2));
}

TEST_F(admission_test, waiters_for_the_engines_limit_take_turns) {
  const auto even = engine_.deploy("even", nap, {.max_waiting = 9});
  const auto odd = engine_.deploy("odd", nap, {.max_waiting = 9});
  std::vector<hotplate::pending<void>> calls;
  for (int i = 0; i < 6; ++i) calls.push_back(even.async());
  for (int i = 0; i < 2; ++i) calls.push_back(odd.async());

  engine_.run_for(seconds(1));

  EXPECT_EQ(engine_.functions()[1].in_flight, 2) << "odd had its turn";
  engine_.run_until_idle();
  EXPECT_EQ(engine_.stats().peak_in_flight, 4);
}

TEST_F(admission_test, reserved_places_are_nobody_elses) {
  const auto own = engine_.deploy("own", nap, {.reserved_concurrency = 1});
  const auto other = engine_.deploy("other", nap);
  std::vector<hotplate::pending<void>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(other.async());

  EXPECT_EQ(other().code(), errc::throttled);
  const auto reserved = own.async();
  EXPECT_EQ(own().code(), errc::throttled);
  EXPECT_EQ(engine_.stats().in_flight, 4);
}

TEST_F(admission_test, a_reservation_of_nothing_switches_a_function_off) {
  const auto off = engine_.deploy("off", nap, {.reserved_concurrency = 0});

  EXPECT_EQ(off().code(), errc::throttled);
}

TEST_F(admission_test, no_more_can_be_reserved_than_the_engine_has) {
  engine_.deploy("one", nap, {.reserved_concurrency = 3});

  EXPECT_THROW(engine_.deploy("two", nap, {.reserved_concurrency = 2}),
               bad_config);
  EXPECT_EQ(engine_.invoke("two").code(), errc::not_found);
  engine_.deploy("two", nap, {.reserved_concurrency = 1});
}

TEST_F(admission_test, what_is_in_use_cannot_be_reserved) {
  const auto busy = engine_.deploy("busy", nap);
  std::vector<hotplate::pending<void>> calls;
  for (int i = 0; i < 3; ++i) calls.push_back(busy.async());

  EXPECT_THROW(engine_.deploy("own", nap, {.reserved_concurrency = 2}),
               bad_config);
  EXPECT_EQ(engine_.stats().in_flight, 3);
  engine_.deploy("own", nap, {.reserved_concurrency = 1});
}

TEST_F(admission_test, a_removed_functions_places_go_back) {
  const auto own = engine_.deploy("own", nap, {.reserved_concurrency = 4});
  auto last = own.async();
  engine_.remove("own");
  EXPECT_THROW(engine_.deploy("next", nap, {.reserved_concurrency = 4}),
               bad_config);
  last.get().value();

  engine_.deploy("next", nap, {.reserved_concurrency = 4});

  EXPECT_TRUE(engine_.invoke("next"));
}

TEST_F(admission_test, every_bad_limit_is_named) {
  try {
    engine_.deploy(
        "bad", nap,
        {.max_concurrency = 0, .reserved_concurrency = -2, .max_waiting = -1});
    FAIL() << "deployed";
  } catch (const bad_config& why) {
    EXPECT_EQ(why.problems().size(), 3U);
  }
}

class admission_workers_test : public testing::TestWithParam<int> {};

TEST_P(admission_workers_test, all_who_wait_come_in_and_no_limit_is_exceeded) {
  std::atomic<int> good = 0;
  std::atomic<int> most = 0;
  std::atomic<int> inside = 0;
  hotplate::engine engine({.workers = GetParam(), .max_concurrency = 3});
  const auto busy = engine.deploy(
      "busy",
      [&](context& ctx) {
        const int now = ++inside;
        for (int seen = most;
             seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        ctx.yield();
        --inside;
      },
      {.timeout = seconds(60), .max_concurrency = 2, .max_waiting = 1000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) good += busy() ? 1 : 0;
    });
  }
  for (std::thread& each : threads) each.join();

  EXPECT_EQ(good, 1200);
  EXPECT_LE(most, 2);
  EXPECT_EQ(engine.stats().waiting, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, admission_workers_test,
                         testing::Values(1, 2, 4));

}  // namespace
