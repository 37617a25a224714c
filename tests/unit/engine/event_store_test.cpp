#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/send.hpp"
#include "sending.hpp"

// Events that outlive their engine.

namespace {

using hotplate::context;
using hotplate::dead_letter;
using hotplate::errc;
using hotplate::event_id;
using hotplate::failed_because;
using hotplate::payload_view;
using hotplate::stored_event;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

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
  void erase(event_id id) override {
    if (keeps) throw std::runtime_error("disk full");
    events.erase(id);
  }
  std::vector<event_id> list() override {
    std::vector<event_id> all;
    for (const auto& each : events) all.push_back(each.first);
    return all;
  }
  std::map<event_id, stored_event> events;
  event_id last = 0;
  bool fails = false;
  bool keeps = false;
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
  std::vector<std::string> seen;
  hotplate::engine engine({.workers = 0, .clock = &clock, .events = &store});
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
  EXPECT_EQ(refused.error().function, "fail");
  EXPECT_THAT(refused.error().message, HasSubstr("disk full"));
  EXPECT_EQ(engine.stats().events.queued, 0);
}

class unerased_test : public testing::Test {
 protected:
  // Sends one, which succeeds.
  void send() {
    (void)engine_->send("note");
    engine_->poll();
  }
  std::int64_t unerased() const { return engine_->stats().events.unerased; }

  hotplate::manual_clock clock_;
  host_store store_;
  int ran_ = 0;
  std::optional<hotplate::engine> engine_{
      std::in_place, hotplate::engine_config{
                         .workers = 0, .clock = &clock_, .events = &store_}};
  hotplate::function<void()> note_ = engine_->deploy("note", [&] { ++ran_; });
};

TEST_F(unerased_test, an_event_that_cannot_be_erased_is_told_of_and_ends) {
  store_.keeps = true;

  send();
  engine_->run_for(std::chrono::hours(1));

  EXPECT_EQ(ran_, 1) << "not again";
  EXPECT_EQ(engine_->stats().events.succeeded, 1U);
  EXPECT_EQ(engine_->stats().events.queued, 0);
  EXPECT_EQ(unerased(), 1);
  EXPECT_THAT(store_.events, SizeIs(1));
}

TEST_F(unerased_test, it_is_erased_with_another_one_a_while_later) {
  store_.keeps = true;
  send();
  send();
  EXPECT_EQ(unerased(), 2);
  store_.keeps = false;

  send();
  EXPECT_EQ(unerased(), 2) << "too soon";
  engine_->run_for(seconds(1));
  send();

  EXPECT_EQ(unerased(), 0);
  EXPECT_THAT(store_.events, IsEmpty());
}

TEST_F(unerased_test, else_when_the_engine_ends) {
  store_.keeps = true;
  send();
  store_.keeps = false;

  engine_.reset();

  EXPECT_THAT(store_.events, IsEmpty());
}

TEST_F(unerased_test, one_that_stays_nonetheless_is_run_again_by_the_next) {
  store_.keeps = true;
  send();
  engine_.reset();
  int again = 0;

  hotplate::engine next({.workers = 0, .clock = &clock_, .events = &store_});
  next.deploy("note", [&] { ++again; });
  (void)next.dead_letters();
  next.run_until_idle();

  EXPECT_EQ(again, 1);
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
