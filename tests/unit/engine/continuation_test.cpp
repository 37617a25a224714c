#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class continuation_test : public testing::TestWithParam<int> {
 protected:
  hotplate::function<int(int)> nap_after(milliseconds time) {
    return engine_.deploy("nap", [time](context& ctx, int n) {
      ctx.sleep_for(time);
      return n;
    });
  }
  static int add_one(outcome<int> before) { return before.value() + 1; }

  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(continuation_test, one_follows_another) {
  const auto nap = nap_after(milliseconds(1));

  auto last = nap.async(1).then(&add_one).then(&add_one).then(
      [](outcome<int> before) { return std::to_string(before.value()); });

  EXPECT_EQ(last.get().value(), "3");
}

TEST_P(continuation_test, what_has_settled_is_followed_too) {
  const auto nap = nap_after(milliseconds(0));
  auto first = nap.async(1);
  first.wait_until(hotplate::no_deadline);

  EXPECT_EQ(first.then(&add_one).get().value(), 2);
}

TEST_P(continuation_test, errors_arrive_as_outcomes_and_exceptions_as_errors) {
  const auto fail = engine_.deploy(
      "fail", [](context&) -> int { throw std::runtime_error("no"); });

  const auto end = fail.async()
                       .then([](outcome<int> before) {
                         EXPECT_EQ(before.code(), errc::function_threw);
                         return add_one(std::move(before));
                       })
                       .get();

  EXPECT_EQ(end.code(), errc::function_threw);
  EXPECT_THAT(end.error().exception_type, HasSubstr("bad_outcome"));
}

TEST_P(continuation_test, a_continuation_waits_and_invokes_as_handlers_do) {
  const auto nap = nap_after(milliseconds(1));

  auto last = nap.async(1).then([&](outcome<int> before) {
    auto beside = nap.async(10);
    return before.value() + nap(100).value() + beside.get().value();
  });

  EXPECT_EQ(last.get().value(), 111);
}

TEST_P(continuation_test, a_dropped_one_is_taken_off_and_destroyed) {
  const auto nap = nap_after(milliseconds(200));
  const auto witness = std::make_shared<int>();
  std::atomic<bool> called = false;

  {
    auto dropped = nap.async(1).then(
        [witness, &called](const outcome<int>&) { called = true; });
    EXPECT_EQ(witness.use_count(), 2);
  }

  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(engine_.stats().in_flight, 1) << "it goes on";
  EXPECT_TRUE(engine_.drain(seconds(10)).running.empty());
  EXPECT_EQ(engine_.functions()[0].count(errc::ok), 1U) << "and is metered";
  EXPECT_FALSE(called);
}

TEST_P(continuation_test, a_detached_one_is_called) {
  const auto nap = nap_after(milliseconds(2));
  std::atomic<bool> called = false;

  nap.async(1).then([&](const outcome<int>&) { called = true; }).detach();

  engine_.drain(seconds(10));
  EXPECT_TRUE(called);
}

TEST_P(continuation_test, cancelling_reaches_what_it_follows) {
  const auto nap = nap_after(seconds(2));
  auto last = nap.async(1).then(&add_one).then(&add_one);
  last.wait_until(engine_.now() + milliseconds(5));

  last.cancel();

  EXPECT_EQ(last.get().code(), errc::cancelled);
  EXPECT_TRUE(engine_.drain(seconds(1)).running.empty());
  EXPECT_EQ(engine_.functions()[0].count(errc::cancelled), 1U);
}

TEST_P(continuation_test, a_running_one_is_cancelled_where_it_waits) {
  const auto nap = nap_after(milliseconds(0));
  const auto forever = engine_.deploy(
      "forever", [](context& ctx) { ctx.sleep_for(seconds(100)); },
      {.timeout = seconds(200)});
  auto last =
      nap.async(1).then([&](const outcome<int>&) { forever().value(); });
  last.wait_until(engine_.now() + milliseconds(5));

  last.cancel();

  EXPECT_EQ(last.get().code(), errc::cancelled);
  EXPECT_TRUE(engine_.drain(seconds(1)).running.empty());
}

TEST_P(continuation_test, an_executor_decides_where) {
  const auto nap = nap_after(milliseconds(1));
  std::promise<hotplate::continuation> handed;
  auto last = nap.async(1).then(
      [&](hotplate::continuation next) { handed.set_value(std::move(next)); },
      [](const outcome<int>&) { return std::this_thread::get_id(); });
  last.wait_until(engine_.now() + milliseconds(50));

  std::thread other([&] { handed.get_future().get()(); });
  const std::thread::id its = other.get_id();
  other.join();

  EXPECT_EQ(last.get().value(), its);
}

TEST_P(continuation_test, an_executor_may_call_at_once_or_never) {
  const auto nap = nap_after(milliseconds(1));
  const auto at_once = [](hotplate::continuation next) { next(); };
  const auto never = [](hotplate::continuation) {};
  const auto fails = [](hotplate::continuation) { throw 7; };

  EXPECT_EQ(nap.async(1).then(at_once, &add_one).get().value(), 2);
  EXPECT_EQ(nap.async(1).then(never, &add_one).get().code(), errc::cancelled);
  EXPECT_EQ(nap.async(1).then(fails, &add_one).get().code(), errc::cancelled);
}

TEST_P(continuation_test, large_and_aligned_things_may_follow) {
  struct alignas(64) large {
    char bytes[4096] = {};
  };
  const auto nap = nap_after(milliseconds(1));

  auto last = nap.async(1).then([big = large{{'x'}}](const outcome<int>&) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&big) % 64, 0U);
    return big;
  });

  EXPECT_EQ(last.get().value().bytes[0], 'x');
}

TEST_P(continuation_test, the_end_of_the_engine_is_an_outcome) {
  std::optional<hotplate::engine> engine;
  engine.emplace(hotplate::engine_config{.workers = GetParam()});
  const auto nap =
      engine->deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(100)); },
                     {.timeout = seconds(200)});
  std::atomic<errc> seen = errc::ok;

  nap.async()
      .then([&](const outcome<void>& before) { seen = before.code(); })
      .detach();
  engine.reset();

  EXPECT_EQ(seen, errc::draining);
}

INSTANTIATE_TEST_SUITE_P(workers, continuation_test,
                         testing::Values(0, 1, 2, 4));

TEST(continuation_pump_test, nothing_follows_before_the_host_pumps) {
  hotplate::manual_clock clock;
  std::vector<int> log;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto nap = engine.deploy("nap", [](context& ctx, int ms) {
    ctx.sleep_for(milliseconds(ms));
    return ms;
  });
  const auto note = [&](const outcome<int>& of) { log.push_back(of.value()); };
  for (const int ms : {30, 10, 20}) nap.async(ms).then(note).detach();
  auto never = nap.async(5);
  never.cancel();

  never.then([&](const outcome<int>&) { log.push_back(0); }).detach();
  EXPECT_THAT(log, ElementsAre());
  engine.run_until_idle();

  EXPECT_THAT(log, ElementsAre(0, 10, 20, 30));
}

}  // namespace
