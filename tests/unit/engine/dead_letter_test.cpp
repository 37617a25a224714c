#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/send.hpp"
#include "sending.hpp"

// What becomes of events that fail, and of those of an engine that ends.

namespace {

using hotplate::context;
using hotplate::dead_letter;
using hotplate::errc;
using hotplate::event_id;
using hotplate::failed_because;
using hotplate::payload_view;
using std::chrono::hours;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class dead_letter_test : public testing::Test {
 protected:
  event_id send(std::string_view to, payload_view event = {}) {
    return engine_.send(to, event).value();
  }
  auto stats() const { return engine_.stats().events; }

  hotplate::manual_clock clock_;
  hotplate::engine engine_{
      {.workers = 0, .max_dead_letters = 3, .clock = &clock_}};
};

TEST_F(dead_letter_test, a_letter_tells_all_about_its_event) {
  clock_.advance(seconds(5));
  engine_.deploy("fail", &fail);

  const event_id id = engine_.send("fail", "do it", {.tenant = "t"}).value();
  engine_.run_until_idle();

  const auto letters = engine_.dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].id, id);
  EXPECT_EQ(letters[0].function, "fail");
  EXPECT_EQ(letters[0].event, "do it");
  EXPECT_EQ(letters[0].tenant, "t");
  EXPECT_EQ(letters[0].reason, failed_because::attempts_used_up);
  EXPECT_EQ(letters[0].attempts, 3U);
  EXPECT_EQ(letters[0].last_code, errc::function_threw);
  EXPECT_THAT(letters[0].last_error, HasSubstr("cannot do it"));
  EXPECT_EQ(letters[0].first_sent.time_since_epoch(), seconds(5));
  EXPECT_EQ(stats().dead, 1);
}

TEST_F(dead_letter_test, a_replayed_letter_has_all_its_attempts_and_a_new_age) {
  int calls = 0;
  engine_.deploy("fail", [&](context& ctx) {
    EXPECT_EQ(ctx.usage_so_far().attempt,
              static_cast<std::uint32_t>(calls % 3 + 1));
    if (++calls < 6) throw std::runtime_error("no");
  });
  const event_id id = send("fail");
  engine_.run_until_idle();
  ASSERT_EQ(calls, 3);
  engine_.run_for(hours(7));

  EXPECT_EQ(engine_.replay(id).value(), id);
  EXPECT_THAT(engine_.dead_letters(), IsEmpty());
  engine_.run_until_idle();

  EXPECT_EQ(calls, 6);
  EXPECT_THAT(engine_.dead_letters(), IsEmpty());
  EXPECT_EQ(stats().replayed, 1U);
  EXPECT_EQ(stats().failed, 1U);
  EXPECT_EQ(stats().succeeded, 1U);
}

TEST_F(dead_letter_test,
       a_letter_of_a_removed_function_is_replayed_to_a_new_one) {
  engine_.deploy("gone", &fail);
  const event_id id = send("gone", "x");
  engine_.remove("gone");
  engine_.run_until_idle();
  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));

  std::string seen;
  engine_.deploy("gone",
                 [&](context&, payload_view event) { seen = event.text(); });
  EXPECT_TRUE(engine_.replay(id));
  engine_.run_until_idle();

  EXPECT_EQ(seen, "x");
}

TEST_F(dead_letter_test, only_letters_are_replayed_or_dropped_and_once) {
  engine_.deploy("fail", &fail);
  const event_id id = send("fail");
  EXPECT_EQ(engine_.replay(id).code(), errc::not_found);
  EXPECT_FALSE(engine_.drop(id));
  engine_.run_until_idle();

  EXPECT_TRUE(engine_.drop(id));

  EXPECT_FALSE(engine_.drop(id));
  EXPECT_EQ(engine_.replay(id).code(), errc::not_found);
  EXPECT_THAT(engine_.dead_letters(), IsEmpty());
  EXPECT_EQ(stats().dropped, 1U);
  EXPECT_EQ(stats().dead, 0);
}

TEST_F(dead_letter_test, beyond_the_limit_the_one_that_died_first_goes) {
  engine_.deploy("number", [](context&, int) {});
  std::vector<event_id> sent;
  for (int i = 0; i < 4; ++i) {
    sent.push_back(send("number", "x"));
    engine_.run_until_idle();
  }

  EXPECT_THAT(ids_of(engine_.dead_letters()),
              ElementsAre(sent[1], sent[2], sent[3]));
  EXPECT_EQ(stats().dropped, 1U);
  EXPECT_EQ(engine_.replay(sent[0]).code(), errc::not_found);
}

TEST_F(dead_letter_test, a_full_queue_takes_no_replay) {
  hotplate::engine engine(
      {.workers = 0, .max_queued_events = 1, .clock = &clock_});
  engine.deploy("fail", &fail, {.retry = {.max_attempts = 1}});
  const event_id id = engine.send("fail").value();
  engine.run_until_idle();
  (void)engine.send("fail");

  EXPECT_EQ(engine.replay(id).code(), errc::throttled);

  EXPECT_THAT(ids_of(engine.dead_letters()), ElementsAre(id));
}

TEST_F(dead_letter_test, draining_makes_letters_of_what_is_to_be_tried_again) {
  engine_.deploy("fail", &fail);
  const event_id first = send("fail"), second = send("fail");
  engine_.poll();
  ASSERT_EQ(stats().queued, 2);

  const auto report = engine_.drain(seconds(1));

  EXPECT_EQ(report.undelivered, 2U);
  EXPECT_THAT(ids_of(engine_.dead_letters()),
              UnorderedElementsAre(first, second));
  for (const dead_letter& each : engine_.dead_letters()) {
    EXPECT_EQ(each.reason, failed_because::draining);
    EXPECT_EQ(each.attempts, 1U);
  }
  EXPECT_EQ(stats().queued, 0);
  EXPECT_EQ(engine_.send("fail").code(), errc::draining);
  EXPECT_EQ(engine_.replay(first).code(), errc::draining);
}

TEST_F(dead_letter_test, an_attempt_in_flight_may_still_succeed_in_a_drain) {
  engine_.deploy("slow", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  engine_.deploy("slow-and-bad", [](context& ctx) {
    ctx.sleep_for(seconds(1));
    throw std::runtime_error("no");
  });
  engine_.deploy("too-slow", [](context& ctx) { ctx.sleep_for(seconds(3)); });
  for (const char* name : {"slow", "slow-and-bad", "too-slow"}) send(name);
  engine_.poll();

  const auto report = engine_.drain(seconds(2));

  EXPECT_EQ(stats().succeeded, 1U);
  EXPECT_EQ(report.undelivered, 2U);
  ASSERT_THAT(engine_.dead_letters(), SizeIs(2));
  EXPECT_EQ(engine_.dead_letters()[0].function, "slow-and-bad");
  EXPECT_EQ(engine_.dead_letters()[1].last_code, errc::draining);
  EXPECT_EQ(engine_.dead_letters()[1].attempts, 0U);
  EXPECT_EQ(engine_.dead_letters()[1].reason, failed_because::draining);
}

TEST_F(dead_letter_test, an_engine_drained_before_it_sent_sends_nothing) {
  engine_.deploy("fail", &fail);
  engine_.drain(seconds(1));

  EXPECT_EQ(engine_.send("fail").code(), errc::draining);
}

}  // namespace
