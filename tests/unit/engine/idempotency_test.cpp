#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hotplate/send.hpp"

// What send() accepts: limits, and each key once.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::event_id;
using hotplate::payload_view;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

class idempotency_test : public testing::Test {
 protected:
  idempotency_test() {
    engine_.deploy("count", [this](context&) { ++ran_; },
                   {.retry = {.max_age = minutes(1)}});
    engine_.deploy("other", [](context&) {});
  }
  event_id send(std::string_view to, std::string_view key) {
    return engine_.send(to, "x", {.key = key}).value();
  }
  hotplate::outcome<event_id> send_bytes(std::size_t count) {
    return engine_.send("count", std::string(count, 'x'));
  }

  int ran_ = 0;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0,
                            .max_async_event_bytes = 10,
                            .max_queued_events = 3,
                            .max_event_keys = 4,
                            .clock = &clock_}};
};

TEST_F(idempotency_test, the_same_key_is_accepted_once_and_yields_the_same_id) {
  const event_id first = send("count", "k");
  const event_id before_it_ran = send("count", "k");
  engine_.run_until_idle();
  const event_id after_it_ran = send("count", "k");
  engine_.run_until_idle();

  EXPECT_EQ(before_it_ran, first);
  EXPECT_EQ(after_it_ran, first);
  EXPECT_EQ(ran_, 1);
  EXPECT_EQ(engine_.stats().events.sent, 1U);
  EXPECT_EQ(engine_.stats().events.known, 2U);
  EXPECT_EQ(engine_.stats().events.queued, 0);
}

TEST_F(idempotency_test, a_key_is_its_functions_own_whatever_the_version) {
  const event_id first = send("count", "k");

  EXPECT_NE(send("other", "k"), first);
  EXPECT_NE(send("count", "l"), first);
  EXPECT_EQ(send("count:1", "k"), first);
  EXPECT_EQ(send("count:$LATEST", "k"), first);
}

TEST_F(idempotency_test, no_key_is_not_a_key) {
  EXPECT_NE(send("count", ""), send("count", ""));
}

TEST_F(idempotency_test, a_key_is_forgotten_with_the_age_of_its_event) {
  const event_id first = send("count", "k");

  engine_.run_for(minutes(1) - seconds(1));
  EXPECT_EQ(send("count", "k"), first);
  engine_.run_for(seconds(1));
  EXPECT_NE(send("count", "k"), first);
}

TEST_F(idempotency_test, an_event_has_a_limit_of_its_own) {
  EXPECT_TRUE(send_bytes(9));
  EXPECT_TRUE(send_bytes(10));
  const auto refused = send_bytes(11);

  ASSERT_EQ(refused.code(), errc::event_too_large);
  EXPECT_EQ(refused.error().limit, 10);
  EXPECT_EQ(refused.error().value, 11);
  EXPECT_EQ(refused.error().function, "count");
  EXPECT_THAT(refused.error().message, HasSubstr("11 bytes, the limit is 10"));
  EXPECT_EQ(engine_.stats().events.queued, 2);
}

TEST_F(idempotency_test, the_limit_on_all_events_holds_for_sent_ones_too) {
  hotplate::engine engine({.workers = 0,
                           .max_event_bytes = 4,
                           .max_async_event_bytes = 10,
                           .clock = &clock_});
  engine.deploy("f", [](context&, payload_view) {});

  EXPECT_TRUE(engine.send("f", "1234"));
  EXPECT_EQ(engine.send("f", "12345").error().limit, 4);
}

TEST_F(idempotency_test, a_mebibyte_may_be_sent_by_default) {
  hotplate::engine engine({.workers = 0, .clock = &clock_});
  engine.deploy("f", [](context&, payload_view) {});

  EXPECT_TRUE(engine.send("f", std::string(1 << 20, 'x')));
  EXPECT_EQ(engine.send("f", std::string((1 << 20) + 1, 'x')).error().limit,
            1 << 20);
}

TEST_F(idempotency_test, a_full_queue_refuses_until_an_event_has_ended) {
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(send_bytes(1));
  const auto refused = send_bytes(1);

  ASSERT_EQ(refused.code(), errc::throttled);
  EXPECT_EQ(refused.error().limit, 3);
  EXPECT_EQ(refused.error().value, 3);
  EXPECT_THAT(refused.error().message, HasSubstr("3 of 3 sent events"));
  engine_.run_until_idle();
  EXPECT_TRUE(send_bytes(1));
}

TEST_F(idempotency_test, a_known_key_needs_no_place_in_the_queue) {
  const event_id first = send("count", "k");
  while (send_bytes(1)) {
  }

  EXPECT_EQ(send("count", "k"), first);
}

TEST_F(idempotency_test, keys_are_limited) {
  for (const char* key : {"1", "2", "3", "4"}) {
    send("count", key);
    engine_.run_until_idle();
  }
  const auto refused = engine_.send("count", "x", {.key = "5"});

  ASSERT_EQ(refused.code(), errc::throttled);
  EXPECT_EQ(refused.error().limit, 4);
  EXPECT_EQ(engine_.stats().events.queued, 0);
  EXPECT_TRUE(engine_.send("count", "x"));
  engine_.run_for(minutes(1));
  EXPECT_TRUE(engine_.send("count", "x", {.key = "5"}));
}

TEST_F(idempotency_test, keys_and_tenants_have_a_longest) {
  const std::string longest(256, 'k'), tenant(64, 't');

  EXPECT_TRUE(engine_.send("count", "", {.key = longest, .tenant = tenant}));
  const auto key = engine_.send("count", "", {.key = longest + "k"});
  const auto named = engine_.send("count", "", {.tenant = tenant + "t"});

  EXPECT_EQ(key.code(), errc::bad_event);
  EXPECT_EQ(key.error().limit, 256);
  EXPECT_EQ(key.error().value, 257);
  EXPECT_EQ(named.code(), errc::bad_event);
  EXPECT_EQ(named.error().limit, 64);
}

}  // namespace
