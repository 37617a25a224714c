#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/send.hpp"

// How events end: destinations, dead letters, the end of an engine.

namespace {

using hotplate::codec;
using hotplate::context;
using hotplate::dead_letter;
using hotplate::delivery;
using hotplate::errc;
using hotplate::event_id;
using hotplate::failed_because;
using hotplate::payload;
using hotplate::payload_view;
using hotplate::stored_event;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

void fail(context&, payload_view event) {
  throw std::runtime_error("cannot " + std::string(event.text()));
}

std::vector<event_id> ids_of(const std::vector<dead_letter>& letters) {
  std::vector<event_id> all;
  for (const dead_letter& each : letters) all.push_back(each.id);
  return all;
}

class dead_letter_test : public testing::Test {
 protected:
  event_id send(std::string_view to, payload_view event = {}) {
    return engine_.send(to, event).value();
  }
  void note_deliveries(std::string name) {
    engine_.deploy(std::move(name), [this](context&, const delivery& of) {
      delivered_.push_back(of);
    });
  }
  auto stats() const { return engine_.stats().events; }

  std::vector<delivery> delivered_;
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

TEST_F(dead_letter_test, success_is_delivered_with_event_and_response) {
  engine_.deploy("double", [](context&, int n) { return 2 * n; },
                 {.on_success = "done", .on_failure = "alarm"});
  note_deliveries("done");

  const event_id id = send("double", "21");
  engine_.run_until_idle();

  ASSERT_THAT(delivered_, SizeIs(1));
  EXPECT_TRUE(delivered_[0].succeeded());
  EXPECT_EQ(delivered_[0].id, id);
  EXPECT_EQ(delivered_[0].function, "double");
  EXPECT_EQ(delivered_[0].reason, "nothing");
  EXPECT_EQ(delivered_[0].attempts, 1U);
  EXPECT_EQ(delivered_[0].event, "21");
  EXPECT_EQ(delivered_[0].response, "42");
  EXPECT_EQ(stats().sent, 2U);
  EXPECT_EQ(stats().succeeded, 2U);
  EXPECT_EQ(stats().queued, 0);
}

TEST_F(dead_letter_test, failure_is_delivered_and_leaves_no_letter) {
  engine_.deploy("fail", &fail, {.on_success = "done", .on_failure = "alarm"});
  note_deliveries("alarm");

  send("fail", "fly");
  engine_.run_until_idle();

  ASSERT_THAT(delivered_, SizeIs(1));
  EXPECT_FALSE(delivered_[0].succeeded());
  EXPECT_EQ(delivered_[0].code, "function_threw");
  EXPECT_EQ(delivered_[0].reason, "attempts_used_up");
  EXPECT_EQ(delivered_[0].attempts, 3U);
  EXPECT_THAT(delivered_[0].message, HasSubstr("cannot fly"));
  EXPECT_EQ(delivered_[0].event, "fly");
  EXPECT_THAT(engine_.dead_letters(), IsEmpty());
  EXPECT_EQ(stats().failed, 1U);
  EXPECT_EQ(stats().succeeded, 1U);
}

TEST_F(dead_letter_test, without_its_destination_a_failure_is_a_letter) {
  engine_.deploy("fail", &fail, {.on_failure = "nobody"});

  send("fail", "x");
  engine_.run_until_idle();

  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].function, "fail");
}

TEST_F(dead_letter_test,
       without_its_destination_a_success_is_a_letter_to_that) {
  engine_.deploy("fine", [](context&) {}, {.on_success = "nobody"});

  send("fine", "x");
  engine_.run_until_idle();

  const auto letters = engine_.dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].function, "nobody");
  EXPECT_EQ(codec<delivery>::decode(letters[0].event).event, "x");
}

TEST_F(dead_letter_test, a_delivery_is_tried_again_as_its_function_says) {
  int calls = 0;
  engine_.deploy("fine", [](context&) {}, {.on_success = "done"});
  engine_.deploy("done", [&](context&, const delivery&) {
    if (++calls < 3) throw std::runtime_error("not yet");
  });

  send("fine");
  engine_.run_until_idle();

  EXPECT_EQ(calls, 3);
}

TEST_F(dead_letter_test, destinations_in_a_circle_end_after_sixteen) {
  int calls = 0;
  engine_.deploy("ping", [&](context&) { ++calls; }, {.on_success = "ping"});

  send("ping");
  engine_.run_until_idle();

  EXPECT_EQ(calls, 17);
  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].reason, failed_because::too_many_hops);
}

TEST_F(dead_letter_test, a_response_too_large_to_deliver_is_left_out) {
  hotplate::engine engine(
      {.workers = 0, .max_event_bytes = 1000, .clock = &clock_});
  engine.deploy("long", [](context&) { return std::string(900, 'x'); },
                {.on_success = "done"});
  std::vector<delivery> seen;
  engine.deploy("done",
                [&](context&, const delivery& of) { seen.push_back(of); });

  (void)engine.send("long", "event");
  engine.run_until_idle();

  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].response, "");
  EXPECT_EQ(seen[0].response_size, 900U);
  EXPECT_EQ(seen[0].event, "event");
}

TEST_F(dead_letter_test, a_delivery_is_plain_text_for_those_who_take_bytes) {
  const delivery made{.id = 7,
                      .function = "f",
                      .code = "throttled",
                      .reason = "too_old",
                      .attempts = 2,
                      .message = "a\nb",
                      .event = "ev",
                      .response = "",
                      .response_size = 0};

  const payload text = codec<delivery>::encode(made);

  EXPECT_EQ(text.text(),
            "hotplate-delivery 1\nid 7\nfunction f\ncode throttled\n"
            "reason too_old\nattempts 2\nresponse-size 0\nmessage 3\nevent 2\n"
            "response 0\n\na\nbev");
  EXPECT_EQ(codec<delivery>::decode(text).message, "a\nb");
}

TEST_F(dead_letter_test, what_is_no_delivery_does_not_decode) {
  const payload whole = codec<delivery>::encode(
      {.function = "f", .reason = "x", .event = "event"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const payload_view cut(whole.data(), size);
    EXPECT_THROW(codec<delivery>::decode(cut), hotplate::decode_error) << size;
  }
}

TEST_F(dead_letter_test, draining_makes_letters_of_what_is_to_be_tried_again) {
  engine_.deploy("fail", &fail);
  const event_id first = send("fail"), second = send("fail");
  engine_.poll();
  ASSERT_EQ(stats().queued, 2);

  const auto report = engine_.drain(seconds(1));

  EXPECT_EQ(report.undelivered, 2U);
  EXPECT_THAT(ids_of(engine_.dead_letters()),
              testing::UnorderedElementsAre(first, second));
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
  EXPECT_EQ(engine_.dead_letters()[1].reason, failed_because::draining);
}

TEST_F(dead_letter_test, an_engine_drained_before_it_sent_sends_nothing) {
  engine_.deploy("fail", &fail);
  engine_.drain(seconds(1));

  EXPECT_EQ(engine_.send("fail").code(), errc::draining);
}

// A host's own store, of the plainest kind.
struct host_store final : hotplate::event_store {
  added add(stored_event event) override {
    if (fails) throw std::runtime_error("disk full");
    event.id = ++last;
    return {(events[last] = std::move(event)).id, false};
  }
  event_id find(std::string_view, hotplate::time_point) override { return 0; }
  void update(const stored_event& changed) override {
    if (fails) throw std::runtime_error("disk full");
    std::string event = std::move(events.at(changed.id).event);
    (events[changed.id] = changed).event = std::move(event);
  }
  bool read(event_id id, stored_event& into) override {
    if (fails) throw std::runtime_error("disk broken");
    if (!events.contains(id)) return false;
    into = events.at(id);
    return true;
  }
  void erase(event_id id) override { events.erase(id); }
  std::vector<event_id> list() override {
    std::vector<event_id> all;
    for (const auto& each : events) all.push_back(each.first);
    return all;
  }
  std::map<event_id, stored_event> events;
  event_id last = 0;
  bool fails = false;
};

TEST(event_store_test, a_destroyed_engine_leaves_its_events_in_the_store) {
  hotplate::manual_clock clock;
  host_store store;
  {
    hotplate::engine engine({.workers = 0, .clock = &clock, .events = &store});
    engine.deploy("fail", &fail);
    (void)engine.send("fail", "tried once");
    engine.poll();
    (void)engine.send("fail", "not yet");
  }

  ASSERT_THAT(store.events, SizeIs(2));
  EXPECT_EQ(store.events[1].attempts, 1U);
  EXPECT_EQ(store.events[1].event, "tried once");
  EXPECT_EQ(store.events[2].attempts, 0U);
  EXPECT_EQ(store.events[2].reason, failed_because::draining);
}

TEST(event_store_test, an_engine_takes_up_what_its_store_holds) {
  hotplate::manual_clock clock;
  host_store store;
  store.events[1] = {.id = 1, .function = "note", .event = "waits"};
  store.events[2] = {.id = 2,
                     .function = "note",
                     .event = "dead",
                     .reason = failed_because::draining};
  hotplate::engine engine({.workers = 0, .clock = &clock, .events = &store});
  std::vector<std::string> seen;
  engine.deploy("note", [&](context&, payload_view event) {
    seen.emplace_back(event.text());
  });

  EXPECT_THAT(ids_of(engine.dead_letters()), ElementsAre(2U));
  engine.run_until_idle();
  EXPECT_THAT(seen, ElementsAre("waits"));
  EXPECT_TRUE(engine.replay(2));
  engine.run_until_idle();

  EXPECT_THAT(seen, ElementsAre("waits", "dead"));
  EXPECT_THAT(store.events, IsEmpty());
}

TEST(event_store_test, a_store_that_takes_no_event_refuses_it) {
  hotplate::manual_clock clock;
  host_store store;
  hotplate::engine engine({.workers = 0, .clock = &clock, .events = &store});
  engine.deploy("fail", &fail);
  store.fails = true;

  const auto refused = engine.send("fail");

  EXPECT_EQ(refused.code(), errc::resource_exhausted);
  EXPECT_THAT(refused.error().message, HasSubstr("disk full"));
  EXPECT_EQ(engine.stats().events.queued, 0);
}

TEST(event_store_test, an_event_survives_a_store_that_fails_for_a_while) {
  hotplate::manual_clock clock;
  host_store store;
  hotplate::engine engine({.workers = 0, .clock = &clock, .events = &store});
  engine.deploy("fail", &fail, {.retry = {.max_attempts = 2}});
  (void)engine.send("fail", "x");
  store.fails = true;
  engine.run_for(seconds(30));
  EXPECT_EQ(engine.stats().events.queued, 1);

  store.fails = false;
  engine.run_until_idle();

  const auto letters = engine.dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].reason, failed_because::attempts_used_up);
  EXPECT_EQ(engine.stats().events.queued, 0);
}

}  // namespace
