#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/send.hpp"
#include "sending.hpp"

// Where events go when they have ended.

namespace {

using hotplate::codec;
using hotplate::context;
using hotplate::delivery;
using hotplate::event_id;
using hotplate::failed_because;
using hotplate::payload;
using hotplate::payload_view;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class destination_test : public testing::Test {
 protected:
  event_id send(std::string_view to, payload_view event = {}) {
    return engine_.send(to, event).value();
  }
  auto stats() const { return engine_.stats().events; }
  void note_deliveries(std::string name) {
    engine_.deploy(std::move(name), [this](context&, const delivery& of) {
      delivered_.push_back(of);
    });
  }

  std::vector<delivery> delivered_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{
      {.workers = 0, .max_dead_letters = 3, .clock = &clock_}};
};

TEST_F(destination_test, success_is_delivered_with_event_and_response) {
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

TEST_F(destination_test, failure_is_delivered_and_leaves_no_letter) {
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

TEST_F(destination_test, without_its_destination_a_failure_is_a_letter) {
  engine_.deploy("fail", &fail, {.on_failure = "nobody"});

  send("fail", "x");
  engine_.run_until_idle();

  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].function, "fail");
}

TEST_F(destination_test,
       without_its_destination_a_success_is_a_letter_to_that) {
  engine_.deploy("fine", [](context&) {}, {.on_success = "nobody"});

  send("fine", "x");
  engine_.run_until_idle();

  const auto letters = engine_.dead_letters();
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].function, "nobody");
  EXPECT_EQ(codec<delivery>::decode(letters[0].event).event, "x");
}

TEST_F(destination_test, a_delivery_is_tried_again_as_its_function_says) {
  int calls = 0;
  engine_.deploy("fine", [](context&) {}, {.on_success = "done"});
  engine_.deploy("done", [&](context&, const delivery&) {
    if (++calls < 3) throw std::runtime_error("not yet");
  });

  send("fine");
  engine_.run_until_idle();

  EXPECT_EQ(calls, 3);
}

TEST_F(destination_test, destinations_in_a_circle_end_after_sixteen) {
  int calls = 0;
  engine_.deploy("ping", [&](context&) { ++calls; }, {.on_success = "ping"});

  send("ping");
  engine_.run_until_idle();

  EXPECT_EQ(calls, 17);
  ASSERT_THAT(engine_.dead_letters(), SizeIs(1));
  EXPECT_EQ(engine_.dead_letters()[0].reason, failed_because::too_many_hops);
  EXPECT_EQ(engine_.dead_letters()[0].last_error,
            "function ping is not sent delivery 17 that follows from one "
            "event, the limit is 16");
}

TEST_F(destination_test, a_response_too_large_to_deliver_is_left_out) {
  std::vector<delivery> seen;
  hotplate::engine engine(
      {.workers = 0, .max_event_bytes = 1000, .clock = &clock_});
  engine.deploy("long", [](context&) { return std::string(900, 'x'); },
                {.on_success = "done"});
  engine.deploy("done",
                [&](context&, const delivery& of) { seen.push_back(of); });

  (void)engine.send("long", "event");
  engine.run_until_idle();

  ASSERT_THAT(seen, SizeIs(1));
  EXPECT_EQ(seen[0].response, "");
  EXPECT_EQ(seen[0].response_size, 900U);
  EXPECT_EQ(seen[0].event, "event");
}

TEST_F(destination_test, a_delivery_is_plain_text_for_those_who_take_bytes) {
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

TEST_F(destination_test, what_is_no_delivery_does_not_decode) {
  const payload whole = codec<delivery>::encode(
      {.function = "f", .reason = "x", .event = "event"});
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const payload_view cut(whole.data(), size);
    EXPECT_THROW(codec<delivery>::decode(cut), hotplate::decode_error) << size;
  }
}

}  // namespace
