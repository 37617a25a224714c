#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hotplate/send.hpp"
#include "sending.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::event_id;
using hotplate::failed_because;
using hotplate::payload_view;
using hotplate::trigger;
using hotplate::usage;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class send_test : public sending_test {};

TEST_F(send_test, an_event_that_succeeds_runs_once_and_is_forgotten) {
  std::vector<std::string> seen;
  engine_.deploy("note", [&](context&, payload_view event) {
    seen.emplace_back(event.text());
  });

  const event_id id = engine_.send("note", "hello").value();
  EXPECT_EQ(stats().queued, 1);
  engine_.run_until_idle();

  EXPECT_NE(id, 0U);
  EXPECT_THAT(seen, ElementsAre("hello"));
  EXPECT_EQ(stats().sent, 1U);
  EXPECT_EQ(stats().succeeded, 1U);
  EXPECT_EQ(stats().queued, 0);
  EXPECT_THAT(engine_.dead_letters(), SizeIs(0));
}

TEST_F(send_test, every_attempt_knows_its_event_and_no_other_call_does) {
  std::vector<event_id> seen;
  const auto note = engine_.deploy("note", [&](context& ctx) {
    seen.push_back(ctx.event());
    if (seen.size() < 3) throw std::runtime_error("again");
  });

  const event_id id = engine_.send("note").value();
  engine_.run_until_idle();
  note.with({.trigger = trigger::event})().value();

  EXPECT_THAT(seen, ElementsAre(id, id, id, 0U));
}

TEST_F(send_test, the_event_outlives_its_senders_buffer_in_every_attempt) {
  std::vector<std::string> seen;
  engine_.deploy("note", [&](context&, payload_view event) {
    seen.emplace_back(event.text());
    if (seen.size() < 3) throw std::runtime_error("again");
  });

  {
    std::string buffer(1000, 'a');
    (void)engine_.send("note", buffer);
    buffer.assign(1000, 'b');
  }
  engine_.run_until_idle();

  const std::string whole(1000, 'a');
  EXPECT_THAT(seen, ElementsAre(whole, whole, whole));
}

TEST_F(send_test,
       a_failing_handler_is_tried_three_times_and_metered_each_time) {
  engine_.deploy("fail", failing(always));

  (void)engine_.send("fail", "abc", {.tenant = "t", .trigger = trigger::queue});
  engine_.run_until_idle();

  ASSERT_THAT(meter_.seen, SizeIs(3));
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_EQ(meter_.seen[i].attempt, i + 1);
    EXPECT_EQ(meter_.seen[i].trigger, trigger::queue);
    EXPECT_EQ(meter_.seen[i].status, errc::function_threw);
    EXPECT_EQ(meter_.seen[i].event_bytes, 3U);
  }
  EXPECT_THAT(meter_.tenants, ElementsAre("t", "t", "t"));
  EXPECT_EQ(engine_.functions()[0].count(errc::function_threw), 3U);
  EXPECT_EQ(stats().retried, 2U);
  EXPECT_EQ(stats().failed, 1U);
}

TEST_F(send_test, one_that_succeeds_in_the_end_leaves_no_letter) {
  engine_.deploy("fail", failing(2));

  (void)engine_.send("fail");
  engine_.run_until_idle();

  EXPECT_THAT(called_at_, SizeIs(3));
  EXPECT_EQ(meter_.seen.back().status, errc::ok);
  EXPECT_EQ(meter_.seen.back().attempt, 3U);
  EXPECT_EQ(stats().succeeded, 1U);
  EXPECT_EQ(stats().dead, 0);
}

TEST_F(send_test, an_event_that_does_not_decode_is_not_tried_again) {
  engine_.deploy("number", [](context&, int) {});

  (void)engine_.send("number", "seven");
  engine_.run_until_idle();

  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].reason, failed_because::refused);
  EXPECT_EQ(engine_.dead_letters()[0].last_code, errc::bad_event);
  EXPECT_THAT(meter_.seen, SizeIs(1));
}

TEST_F(send_test, a_function_removed_between_attempts_leaves_a_letter) {
  engine_.deploy("fail", failing(always));
  (void)engine_.send("fail", "kept");
  engine_.poll();

  engine_.remove("fail");
  engine_.run_until_idle();

  const auto letters = engine_.dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].reason, failed_because::refused);
  EXPECT_EQ(letters[0].last_code, errc::not_found);
  EXPECT_EQ(letters[0].attempts, 1U);
  EXPECT_EQ(letters[0].event, "kept");
}

TEST_F(send_test, a_new_version_takes_the_next_attempt) {
  engine_.deploy("fail", failing(always));
  (void)engine_.send("fail");
  engine_.poll();

  engine_.deploy("fail", [](context&) {});
  engine_.run_until_idle();

  EXPECT_EQ(meter_.seen.back().version, 2U);
  EXPECT_EQ(stats().succeeded, 1U);
}

TEST_F(send_test, an_event_may_mean_a_version) {
  engine_.deploy("one", [](context&) {});
  engine_.deploy("one", [](context&) {});

  (void)engine_.send("one:1");
  engine_.run_until_idle();

  EXPECT_EQ(meter_.seen.back().version, 1U);
}

TEST_F(send_test, an_event_is_not_bound_to_the_handler_that_sent_it) {
  engine_.deploy("slow", [](context& ctx) { ctx.sleep_for(seconds(2)); });
  const auto brief = engine_.deploy(
      "brief", [&](context&) { return engine_.send("slow").code(); },
      {.timeout = milliseconds(1)});

  EXPECT_EQ(brief().value(), errc::ok);
  engine_.run_until_idle();

  EXPECT_EQ(stats().retried + stats().postponed, 0U);
  EXPECT_EQ(meter_.seen.back().duration, seconds(2));
  EXPECT_EQ(meter_.seen.back().status, errc::ok);
}

TEST_F(send_test, what_cannot_be_sent_is_refused_at_once) {
  struct opaque {};
  engine_.deploy("opaque", [](context&, opaque) {});

  const auto unknown = engine_.send("nobody");
  const auto unreadable = engine_.send("opaque");

  EXPECT_EQ(unknown.code(), errc::not_found);
  EXPECT_EQ(unknown.error().function, "nobody");
  EXPECT_EQ(engine_.send("nobody:1").code(), errc::not_found);
  EXPECT_EQ(unreadable.code(), errc::no_codec);
  EXPECT_EQ(stats().sent, 0U);
  EXPECT_EQ(stats().queued, 0);
}

TEST_F(send_test, no_timer_is_left_once_all_events_ended) {
  engine_.deploy("fine", [](context&) {});

  (void)engine_.send("fine");
  engine_.run_until_idle();

  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(0));
}

TEST(send_config_test, every_bad_field_is_named) {
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  try {
    engine.deploy("f", [](context&) {},
                  {.retry = {.max_attempts = 0,
                             .first_backoff = milliseconds(-1),
                             .longest_backoff = milliseconds(0),
                             .max_age = milliseconds(0)},
                   .on_success = "no spaces",
                   .on_failure = "name:"});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(),
                ElementsAre(HasSubstr("retry.max_attempts = 0"),
                            HasSubstr("retry.longest_backoff = 0 ms"),
                            HasSubstr("retry.first_backoff = -1 ms"),
                            HasSubstr("retry.max_age = 0 ms"),
                            HasSubstr("on_success = \"no spaces\""),
                            HasSubstr("on_failure = \"name:\"")));
  }
}

TEST(send_config_test, the_engines_limits_are_checked) {
  try {
    hotplate::engine engine({.max_queued_events = -1,
                             .max_dead_letters = -1,
                             .max_event_keys = -1});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(), ElementsAre(HasSubstr("max_queued_events"),
                                            HasSubstr("max_dead_letters"),
                                            HasSubstr("max_event_keys")));
  }
}

}  // namespace
