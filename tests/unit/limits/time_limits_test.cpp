#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

// The ends of time: no duration that fits its type overflows on the way.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::manual_clock;
using hotplate::no_deadline;
using hotplate::time_point;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

// 0: host-pumped on a manual clock.
class time_limits : public testing::TestWithParam<int> {
 protected:
  manual_clock clock_;
  hotplate::engine engine_{
      {.workers = GetParam(), .clock = GetParam() == 0 ? &clock_ : nullptr}};
  hotplate::function<void()> nap_ = engine_.deploy(
      "nap", [](context& ctx) { ctx.sleep_for(milliseconds(5)); });
};

TEST_P(time_limits, a_deadline_may_be_the_last_or_the_first_moment) {
  const auto with = [&](time_point deadline) {
    return nap_.with({.deadline = deadline})().code();
  };
  EXPECT_EQ(with(time_point::max()), errc::ok);
  EXPECT_EQ(with(time_point::max() - nanoseconds(1)), errc::ok);
  EXPECT_EQ(with(time_point::min()), errc::timed_out);
  EXPECT_EQ(with(time_point::min() + nanoseconds(1)), errc::timed_out);
  EXPECT_EQ(with(time_point()), errc::timed_out);
  EXPECT_EQ(engine_.stats().invocations, 5U);
}

TEST_P(time_limits, the_longest_sleep_ends_at_the_timeout) {
  const auto sleep = engine_.deploy(
      "sleep",
      [](context& ctx, std::int64_t time) { ctx.sleep_for(nanoseconds(time)); },
      {.timeout = milliseconds(20)});

  EXPECT_EQ(sleep(nanoseconds::max().count()).code(), errc::timed_out);
  EXPECT_EQ(sleep(nanoseconds::max().count() - 1).code(), errc::timed_out);
  EXPECT_EQ(sleep(nanoseconds::min().count()).code(), errc::ok);
  EXPECT_EQ(sleep(-1).code(), errc::ok);
  EXPECT_EQ(sleep(0).code(), errc::ok);
}

TEST_P(time_limits, waiting_may_end_at_the_last_or_the_first_moment) {
  auto started = nap_.async();

  EXPECT_FALSE(started.wait_until(time_point::min()));
  EXPECT_FALSE(started.wait_until(time_point()));
  EXPECT_TRUE(started.wait_until(time_point::max()));
  EXPECT_TRUE(started.get());
}

TEST_P(time_limits, locks_may_be_waited_for_as_long_as_can_be_said) {
  hotplate::fiber_mutex mutex(engine_);
  hotplate::semaphore permits(engine_, 1);

  EXPECT_TRUE(mutex.try_lock_for(nanoseconds::max()));
  EXPECT_FALSE(mutex.try_lock_for(nanoseconds::min()));
  EXPECT_TRUE(permits.try_acquire_for(nanoseconds::max()));
  EXPECT_FALSE(permits.try_acquire_until(time_point::min()));
  hotplate::sleep_for(engine_, nanoseconds::min());
}

TEST_P(time_limits, a_drain_may_be_given_no_time_or_all_of_it) {
  auto one = nap_.async();
  EXPECT_EQ(engine_.drain(nanoseconds::max()).dropped, 0U);
  EXPECT_TRUE(one.get());
  EXPECT_EQ(engine_.drain(seconds(0)).dropped, 0U);
  EXPECT_EQ(engine_.drain(nanoseconds::min()).dropped, 0U);
}

TEST_P(time_limits, a_drain_without_time_drops_at_once) {
  for (const nanoseconds time :
       {nanoseconds(0), nanoseconds(-1), nanoseconds::min()}) {
    hotplate::engine other({.workers = GetParam()});
    auto sleeping =
        other.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(2)); })
            .async();
    const auto report = other.drain(time);
    EXPECT_EQ(report.dropped, 1U);
    EXPECT_EQ(sleeping.get().code(), errc::draining);
  }
}

INSTANTIATE_TEST_SUITE_P(workers, time_limits, testing::Values(0, 1, 2));

TEST(manual_clock_limits, it_stands_still_at_its_latest) {
  manual_clock clock;
  clock.advance(nanoseconds::max());
  EXPECT_EQ(clock.now(), manual_clock::latest());
  clock.advance(nanoseconds::max());
  clock.advance_to(time_point::max());
  EXPECT_EQ(clock.now(), manual_clock::latest());
}

TEST(manual_clock_limits, it_never_goes_back) {
  manual_clock clock;
  clock.advance(seconds(5));
  clock.advance(seconds(-1));
  clock.advance(nanoseconds::min());
  clock.advance_to(time_point::min());
  EXPECT_EQ(clock.now().time_since_epoch(), seconds(5));
}

// Where the longest timeouts reach beyond the end of the clock.
TEST(manual_clock_limits, late_in_its_time_deadlines_are_still_told) {
  manual_clock clock;
  clock.advance_to(manual_clock::latest() - seconds(10));
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto sleep = engine.deploy(
      "sleep", [](context& ctx, int s) { ctx.sleep_for(seconds(s)); },
      {.timeout = seconds(900), .keep_alive = milliseconds(31'536'000'000)});

  EXPECT_EQ(sleep(5).usage().duration, seconds(5));
  EXPECT_EQ(sleep(60).code(), errc::stalled) << "it would never wake up";
  EXPECT_EQ(clock.now(), manual_clock::latest());
  EXPECT_TRUE(sleep(0));
}

TEST(manual_clock_limits, all_time_can_be_run_through) {
  manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto nap =
      engine.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  auto started = nap.async();

  engine.run_for(nanoseconds::min());
  EXPECT_FALSE(started.ready());
  engine.run_for(nanoseconds::max());

  EXPECT_TRUE(started.get());
  EXPECT_EQ(engine.functions()[0].instances, 0U) << "expired on the way";
  EXPECT_LE(clock.now(), manual_clock::latest());
}

}  // namespace
