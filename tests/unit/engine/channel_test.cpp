#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "hotplate/suspend.hpp"

namespace {

using hotplate::channel;
using hotplate::context;
using std::chrono::milliseconds;

class channel_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(channel_test, a_channel_keeps_the_order_of_its_sender) {
  for (const std::size_t capacity : {0U, 1U, 7U}) {
    channel<std::unique_ptr<int>> items(engine_, capacity);
    const auto produce = engine_.deploy("produce", [&](context&) {
      for (int i = 0; i < 100; ++i) items.send(std::make_unique<int>(i));
      items.close();
    });
    const auto consume = engine_.deploy("consume", [&](context&) {
      int next = 0;
      while (auto item = items.receive()) next += **item == next ? 1 : 1'000;
      return next;
    });
    auto consuming = consume.async();
    auto producing = produce.async();

    EXPECT_EQ(consuming.get().value(), 100);
    EXPECT_TRUE(producing.get());
    engine_.remove("produce");
    engine_.remove("consume");
  }
}

TEST_P(channel_test, a_thread_and_a_handler_talk_through_channels) {
  channel<int> questions(engine_, 2), answers(engine_, 2);
  const auto square = engine_.deploy("square", [&](context&) {
    while (auto asked = questions.receive()) answers.send(*asked * *asked);
  });
  auto started = square.async();

  for (int i = 0; i < 50; ++i) {
    EXPECT_TRUE(questions.send(i));
    EXPECT_EQ(answers.receive(), i * i);
  }
  questions.close();

  EXPECT_TRUE(started.get());
}

TEST_P(channel_test, a_closed_channel_refuses_and_wakes_who_waits) {
  channel<int> items(engine_, 1);
  const auto send =
      engine_.deploy("send", [&](context&, int n) { return items.send(n); });
  auto first = send.async(1);
  EXPECT_TRUE(first.get().value());
  auto second = send.async(2);
  second.wait_until(engine_.now() + milliseconds(2));

  items.close();

  EXPECT_FALSE(second.get().value());
  EXPECT_FALSE(items.send(3));
  EXPECT_EQ(items.receive(), 1);
  EXPECT_EQ(items.receive(), std::nullopt);
  EXPECT_TRUE(items.closed());
}

TEST_P(channel_test, a_channel_may_be_waited_for_in_vain) {
  channel<std::string> items(engine_, 0);
  std::string text = "kept";

  EXPECT_FALSE(items.send_until(engine_.now() + milliseconds(2), text));
  EXPECT_EQ(items.receive_until(engine_.now() + milliseconds(2)), std::nullopt);
  EXPECT_FALSE(items.try_send(text));
  EXPECT_EQ(items.try_receive(), std::nullopt);

  EXPECT_EQ(text, "kept");
}

INSTANTIATE_TEST_SUITE_P(workers, channel_test, testing::Values(0, 1, 2, 4));

}  // namespace
