#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

// Meters that come and go, that throw, and that hear of overruns.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::metered_invocation;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

/// Counts, and then does what the test wants.
class counting final : public hotplate::meter {
 public:
  explicit counting(std::function<void()> then = {}) : then_(std::move(then)) {}
  void on_invocation(const metered_invocation& call) override {
    ++count;
    last = std::string(call.function);
    if (then_) then_();
  }
  std::atomic<int> count = 0;
  std::string last;

 private:
  const std::function<void()> then_;
};

class meters_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
  const hotplate::function<int(int)> twice_ =
      engine_.deploy("twice", [](context&, int x) { return 2 * x; });
};

TEST_P(meters_test, one_hears_what_settles_while_it_is_there) {
  counting meter;
  twice_(1).value();

  EXPECT_TRUE(engine_.add_meter(meter));
  twice_(2).value();
  (void)engine_.invoke("nobody");
  EXPECT_TRUE(engine_.remove_meter(meter));
  twice_(3).value();

  EXPECT_EQ(meter.count, 2);
  EXPECT_EQ(meter.last, "") << "of no function";
}

TEST_P(meters_test, one_may_be_destroyed_after_it_was_removed) {
  for (int i = 0; i < 100; ++i) {
    std::optional<counting> meter(std::in_place);
    engine_.add_meter(*meter);
    twice_(i).value();
    engine_.remove_meter(*meter);
    EXPECT_EQ(meter->count, 1);
    meter.reset();
    twice_(i).value();
  }
}

TEST_P(meters_test, each_is_there_once_only) {
  counting meter;

  EXPECT_TRUE(engine_.add_meter(meter));
  EXPECT_FALSE(engine_.add_meter(meter));
  twice_(1).value();

  EXPECT_EQ(meter.count, 1);
  EXPECT_TRUE(engine_.remove_meter(meter));
  EXPECT_FALSE(engine_.remove_meter(meter));
}

TEST_P(meters_test, one_of_the_configuration_may_be_removed_too) {
  counting first, second;
  hotplate::engine engine({.workers = GetParam(), .meters = {&first, &second}});
  const auto f = engine.deploy("f", [](context&) {});

  f().value();
  EXPECT_TRUE(engine.remove_meter(first));
  f().value();

  EXPECT_EQ(first.count, 1);
  EXPECT_EQ(second.count, 2);
}

TEST_P(meters_test, a_callback_that_throws_is_counted_and_nothing_else) {
  counting before;
  counting throwing([] { throw std::runtime_error("disk full"); });
  counting odd([] { throw 42; });
  counting after;
  for (counting* each : {&before, &throwing, &odd, &after}) {
    engine_.add_meter(*each);
  }

  EXPECT_EQ(twice_(21).value(), 42);
  EXPECT_EQ(engine_.invoke("nobody").code(), errc::not_found);

  EXPECT_EQ(before.count, 2);
  EXPECT_EQ(after.count, 2);
  EXPECT_EQ(engine_.stats().meter_failures, 4U);
  EXPECT_EQ(engine_.stats().invocations, 2U);
  for (counting* each : {&before, &throwing, &odd, &after}) {
    EXPECT_TRUE(engine_.remove_meter(*each));
  }
}

TEST_P(meters_test, a_callback_that_invokes_is_told_not_to) {
  std::string objection;
  counting meter([&] {
    try {
      (void)twice_(1);
    } catch (const hotplate::bad_outcome& why) {
      objection = why.what();
    }
  });
  engine_.add_meter(meter);

  EXPECT_EQ(twice_(21).value(), 42);

  EXPECT_EQ(meter.count, 1);
  EXPECT_EQ(objection,
            "already_pumping: a meter that is told of function twice must "
            "neither invoke nor wait");
  engine_.remove_meter(meter);
}

// On a worker, which settles a good end; and on whatever thread refuses.
TEST_P(meters_test, a_callback_may_add_meters_but_not_remove_any) {
  counting added;
  std::string objection;
  counting meter([&] {
    engine_.add_meter(added);
    try {
      engine_.remove_meter(added);
    } catch (const hotplate::bad_config& why) {
      objection = why.what();
    }
  });
  engine_.add_meter(meter);

  twice_(1).value();
  EXPECT_THAT(objection, HasSubstr("remove_meter"));
  objection.clear();
  (void)engine_.invoke("nobody");
  EXPECT_THAT(objection, HasSubstr("remove_meter"));

  EXPECT_TRUE(engine_.remove_meter(meter));
  EXPECT_TRUE(engine_.remove_meter(added));
}

TEST_P(meters_test, a_callback_may_end_another_invocation) {
  const auto sleep =
      engine_.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(60)); },
                     {.timeout = seconds(90)});
  std::optional<hotplate::pending<void>> sleeping = sleep.async();
  counting meter([&] {
    if (auto ending = std::exchange(sleeping, std::nullopt)) ending->cancel();
  });
  engine_.add_meter(meter);

  twice_(1).value();

  EXPECT_EQ(meter.count, 2);
  EXPECT_TRUE(engine_.remove_meter(meter));
}

TEST_P(meters_test, a_handler_may_remove_one) {
  counting meter;
  engine_.add_meter(meter);
  const auto tidy = engine_.deploy(
      "tidy", [&](context&) { return engine_.remove_meter(meter); });

  EXPECT_TRUE(tidy().value());

  EXPECT_EQ(meter.count, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, meters_test, testing::Values(0, 1, 2));

TEST(removing_a_meter, waits_for_a_callback_that_is_running) {
  hotplate::engine engine({.workers = 1});
  const auto f = engine.deploy("f", [](context&) {});
  std::atomic<bool> inside = false, released = false, ended = false;
  counting slow([&] {
    inside = true;
    while (!released) std::this_thread::yield();
    ended = true;
  });
  engine.add_meter(slow);
  auto call = f.async();
  while (!inside) std::this_thread::yield();
  std::thread releaser([&] {
    std::this_thread::sleep_for(milliseconds(10));
    released = true;
  });

  engine.remove_meter(slow);

  EXPECT_TRUE(ended);
  releaser.join();
  call.get().value();
}

class broken_sink final : public hotplate::log_sink {
 public:
  void on_log(const hotplate::log_line&) override {
    throw std::runtime_error("disk full");
  }
};

TEST(log_sinks, that_throw_are_counted_and_the_handler_goes_on) {
  broken_sink sink;
  hotplate::engine engine({.workers = 1, .logs = &sink});
  const auto talk = engine.deploy("talk", [](context& ctx) {
    ctx.log(hotplate::log_level::info, "one");
    ctx.log(hotplate::log_level::info, "two");
    return 3;
  });

  EXPECT_EQ(talk.with({.keep_log = true})().log(), "info: one\ninfo: two\n");

  EXPECT_EQ(engine.stats().log_failures, 2U);
}

class overrun_listener final : public hotplate::meter {
 public:
  void on_invocation(const metered_invocation&) override {}
  void on_overrun(const hotplate::overrun& late) override {
    functions.emplace_back(late.function);
    ids.push_back(late.id);
    beyond.push_back(late.beyond);
    ages.push_back(late.age);
    ++told;
    if (told == 1) throw std::runtime_error("the first time");
  }
  std::atomic<int> told = 0;
  std::vector<std::string> functions;
  std::vector<hotplate::request_id> ids;
  std::vector<std::chrono::nanoseconds> beyond, ages;
};

TEST(overruns, that_go_on_are_told_of_after_100_ms_and_after_1_s) {
  overrun_listener listener;
  std::atomic<bool> released = false;
  hotplate::engine engine({.workers = 2, .meters = {&listener}});
  const auto spin =
      engine.deploy("spin",
                    [&](context&) {
                      while (!released) {
                        std::this_thread::sleep_for(milliseconds(1));
                      }
                    },
                    {.timeout = milliseconds(20)});
  const auto brief = engine.deploy(
      "brief", [](context&) { std::this_thread::sleep_for(milliseconds(30)); },
      {.timeout = milliseconds(10)});

  const auto timed_out = spin();
  EXPECT_EQ(brief().code(), errc::timed_out);
  while (listener.told < 2) std::this_thread::sleep_for(milliseconds(10));
  released = true;

  EXPECT_EQ(timed_out.code(), errc::timed_out);
  EXPECT_THAT(listener.functions, ElementsAre("spin", "spin"));
  EXPECT_THAT(listener.ids, testing::Each(timed_out.usage().id));
  EXPECT_GE(listener.beyond[0], milliseconds(100));
  EXPECT_GE(listener.beyond[1], seconds(1));
  EXPECT_GE(listener.ages[0], listener.beyond[0] + milliseconds(20));
  EXPECT_EQ(engine.stats().meter_failures, 1U);
}

}  // namespace
