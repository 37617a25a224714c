#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using std::chrono::milliseconds;

class several_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(several_test, the_first_of_several_is_found) {
  hotplate::channel<int> never(engine_, 0);
  const auto stay = engine_.deploy("stay", [&](context&) { never.receive(); });
  const auto quick = engine_.deploy("quick", [](context& ctx) {
    ctx.sleep_for(milliseconds(1));
    return 7;
  });
  auto a = stay.async();
  auto b = quick.async();

  EXPECT_EQ(hotplate::wait_any(a, b), 1U);

  EXPECT_EQ(b.get().value(), 7);
  EXPECT_EQ(hotplate::wait_any(a, b), 1U) << "got counts as ready";
  EXPECT_FALSE(hotplate::wait_all_until(engine_.now() + milliseconds(1), a));
  never.close();
  hotplate::wait_all(a, b);
}

TEST_P(several_test, a_handler_waits_for_several) {
  const auto nap = engine_.deploy("nap", [](context& ctx, int ms) {
    ctx.sleep_for(milliseconds(ms));
    return ms;
  });
  const auto race = engine_.deploy("race", [&](context&) {
    std::vector<hotplate::pending<int>> started;
    for (const int ms : {1000, 2, 500}) started.push_back(nap.async(ms));
    const std::size_t first = hotplate::wait_any(started);
    for (auto& each : started) each.cancel();
    hotplate::wait_all(started);
    return started[first].get().value();
  });

  EXPECT_EQ(race().value(), 2);
}

TEST_P(several_test, waiting_for_several_ends_in_time) {
  const auto nap = engine_.deploy(
      "nap", [](context& ctx) { ctx.sleep_for(milliseconds(500)); });
  const auto wait = engine_.deploy("wait", [&](context& ctx) {
    auto a = nap.async();
    auto b = nap.async();
    return hotplate::wait_any_until(ctx.now() + milliseconds(2), a, b);
  });

  EXPECT_EQ(wait().value(), 2U);
}

TEST_P(several_test, invoke_all_answers_in_the_order_of_its_inputs) {
  const auto add =
      engine_.deploy("add", [](context&, int a, int b) { return a + b; });
  const auto shout = engine_.deploy("shout", [](context&, std::string_view s) {
    return std::string(s) + "!";
  });

  const auto sums =
      add.invoke_all(std::vector<std::tuple<int, int>>{{1, 2}, {3, 4}});
  const auto words =
      engine_.invoke_all("shout", std::vector<std::string>{"a", "b", "c"});
  const auto typed = shout.invoke_all(std::vector<std::string>{"d"});

  EXPECT_EQ(sums[0].value() * 100 + sums[1].value(), 307);
  ASSERT_EQ(words.size(), 3U);
  EXPECT_EQ(words[2].value().text(), "c!");
  EXPECT_EQ(typed[0].value(), "d!");
}

TEST_P(several_test, a_stop_token_cancels_all_of_invoke_all) {
  std::stop_source stop;
  const auto nap = engine_.deploy("nap", [&](context& ctx, bool stops) {
    if (stops) stop.request_stop();
    ctx.sleep_for(std::chrono::seconds(60));
  });
  const hotplate::invoke_options options{.stop = stop.get_token()};

  const auto all =
      nap.with(options).invoke_all(std::vector<bool>{false, true, false});
  const auto late =
      engine_.invoke_all("nap", std::vector<std::string>{"true"}, options);

  for (const auto& each : all) {
    EXPECT_EQ(each.code(), hotplate::errc::cancelled);
  }
  EXPECT_EQ(late[0].code(), hotplate::errc::cancelled);
}

INSTANTIATE_TEST_SUITE_P(workers, several_test, testing::Values(0, 1, 2, 4));

}  // namespace
