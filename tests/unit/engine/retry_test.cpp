#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hotplate/send.hpp"
#include "sending.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::failed_because;
using hotplate::trigger;
using hotplate::usage;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::Ge;
using testing::Le;
using testing::SizeIs;

class retry_test : public sending_test {};

TEST_F(retry_test, back_off_doubles_up_to_the_longest_and_is_drawn_evenly) {
  engine_.deploy("fail", failing(always),
                 {.retry = {.max_attempts = 5,
                            .first_backoff = seconds(1),
                            .longest_backoff = seconds(3)}});
  const nanoseconds most[] = {seconds(1), seconds(2), seconds(3), seconds(3)};
  nanoseconds sum[4] = {};

  constexpr int events = 200;
  for (int i = 0; i < events; ++i) {
    called_at_.clear();
    (void)engine_.send("fail");
    engine_.run_until_idle();
    ASSERT_THAT(called_at_, SizeIs(5));
    for (std::size_t gap = 0; gap < 4; ++gap) {
      const nanoseconds waited = called_at_[gap + 1] - called_at_[gap];
      ASSERT_THAT(waited, AllOf(Ge(nanoseconds(0)), Le(most[gap])));
      sum[gap] += waited;
    }
  }

  for (std::size_t gap = 0; gap < 4; ++gap) {
    EXPECT_THAT(sum[gap] / events,
                AllOf(Ge(most[gap] * 2 / 5), Le(most[gap] * 3 / 5)));
  }
}

TEST_F(retry_test, a_simulation_repeats_itself) {
  const auto run = [] {
    hotplate::manual_clock clock;
    std::vector<nanoseconds> times;
    hotplate::engine engine({.workers = 0, .clock = &clock});
    engine.deploy("fail", [&](context& ctx) {
      times.push_back(ctx.now().time_since_epoch());
      throw std::runtime_error("no");
    });
    for (int i = 0; i < 9; ++i) (void)engine.send("fail");
    engine.run_until_idle();
    return times;
  };

  EXPECT_EQ(run(), run());
}

TEST_F(retry_test, without_back_off_it_is_tried_again_at_once) {
  engine_.deploy("fail", failing(always),
                 {.retry = {.first_backoff = milliseconds(0)}});

  (void)engine_.send("fail");
  EXPECT_GE(engine_.poll(), 3U);

  EXPECT_THAT(called_at_, SizeIs(3));
  EXPECT_THAT(engine_.dead_letters(), SizeIs(1));
}

TEST_F(retry_test, run_for_drives_what_is_due_by_then_and_no_more) {
  engine_.deploy("fail", failing(always),
                 {.retry = {.max_attempts = 2,
                            .first_backoff = hours(1),
                            .longest_backoff = hours(1)}});
  (void)engine_.send("fail");
  engine_.run_until_idle();
  ASSERT_THAT(called_at_, SizeIs(2));
  const nanoseconds gap = called_at_[1];

  // The same event in another engine waits as long.
  hotplate::manual_clock clock;
  hotplate::engine other({.workers = 0, .clock = &clock});
  int calls = 0;
  other.deploy("fail",
               [&](context&) {
                 ++calls;
                 throw std::runtime_error("no");
               },
               {.retry = {.max_attempts = 2,
                          .first_backoff = hours(1),
                          .longest_backoff = hours(1)}});
  (void)other.send("fail");
  other.run_for(gap - nanoseconds(1));
  EXPECT_EQ(calls, 1);
  other.run_for(nanoseconds(1));
  EXPECT_EQ(calls, 2);
}

TEST_F(retry_test, being_throttled_uses_up_no_attempt) {
  const auto slow = engine_.deploy(
      "slow", [](context& ctx, int s) { ctx.sleep_for(seconds(s)); },
      {.timeout = seconds(900), .max_concurrency = 1});
  const auto running = slow.async(100);
  engine_.poll();

  (void)engine_.send("slow", "1");
  engine_.run_until_idle();

  const usage last = meter_.seen.back();
  EXPECT_EQ(last.status, errc::ok);
  EXPECT_EQ(last.attempt, 1U);
  EXPECT_EQ(last.trigger, trigger::event);
  EXPECT_GT(stats().postponed, 3U);
  EXPECT_EQ(stats().postponed, engine_.functions()[0].count(errc::throttled));
  EXPECT_EQ(stats().retried, 0U);
  EXPECT_EQ(stats().succeeded, 1U);
}

TEST_F(retry_test, what_is_throttled_is_tried_until_exactly_its_age) {
  engine_.deploy(
      "off", failing(0),
      {.reserved_concurrency = 0,
       .retry = {.longest_backoff = seconds(10), .max_age = seconds(60)}});

  (void)engine_.send("off");
  engine_.run_until_idle();

  const auto letters = engine_.dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].reason, failed_because::too_old);
  EXPECT_EQ(letters[0].attempts, 0U);
  EXPECT_EQ(letters[0].last_code, errc::throttled);
  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(60));
  EXPECT_THAT(meter_.seen, SizeIs(Ge(8U)));
}

TEST_F(retry_test, what_failed_is_too_old_after_its_last_moment) {
  engine_.deploy("fail", failing(always),
                 {.retry = {.max_attempts = 100,
                            .first_backoff = seconds(1),
                            .longest_backoff = seconds(1),
                            .max_age = seconds(10)}});

  (void)engine_.send("fail");
  engine_.run_until_idle();

  EXPECT_EQ(called_at_.back(), seconds(10));
  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].reason, failed_because::too_old);
  EXPECT_EQ(engine_.dead_letters()[0].attempts, called_at_.size());
}

TEST_F(retry_test, what_comes_due_after_its_age_is_not_attempted) {
  engine_.deploy("fail", failing(always),
                 {.retry = {.max_attempts = 9, .max_age = seconds(10)}});
  (void)engine_.send("fail");
  engine_.poll();

  clock_.advance(seconds(11));
  engine_.run_until_idle();

  EXPECT_THAT(called_at_, SizeIs(1));
  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].reason, failed_because::too_old);
}

TEST_F(retry_test, timeouts_and_full_memory_use_up_attempts) {
  engine_.deploy("slow", [](context& ctx) { ctx.sleep_for(seconds(9)); });
  engine_.deploy("greedy", [](context& ctx) {
    (void)ctx.arena().allocate(std::size_t{200} << 20, 8);
  });

  (void)engine_.send("slow");
  (void)engine_.send("greedy");
  engine_.run_until_idle();

  const auto letters = engine_.dead_letters();
  ASSERT_THAT(letters, SizeIs(2));
  for (const auto& each : letters) {
    EXPECT_EQ(each.reason, failed_because::attempts_used_up);
    EXPECT_EQ(each.attempts, 3U);
    EXPECT_EQ(each.last_code,
              each.function == "slow" ? errc::timed_out : errc::out_of_memory);
  }
}

TEST_F(retry_test, waiting_for_a_place_in_vain_uses_up_no_attempt) {
  hotplate::engine engine({.workers = 0,
                           .max_concurrency = 1,
                           .clock = &clock_,
                           .meters = {&meter_}});
  const auto hog =
      engine.deploy("hog", [](context& ctx) { ctx.sleep_for(seconds(100)); },
                    {.timeout = seconds(900)});
  engine.deploy("quick", [](context&) {},
                {.timeout = seconds(5), .max_waiting = 1});
  const auto running = hog.async();

  (void)engine.send("quick");
  engine.run_until_idle();

  EXPECT_EQ(meter_.seen.front().status, errc::timed_out);
  EXPECT_EQ(meter_.seen.back().status, errc::ok);
  EXPECT_EQ(meter_.seen.back().attempt, 1U);
  EXPECT_EQ(engine.stats().events.retried, 0U);
}

}  // namespace
