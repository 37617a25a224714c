#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "hotplate/engine.hpp"

// The end of an engine, and of the process, where one goes with the other.

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ExitedWithCode;

class end_death_test : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};

TEST_P(end_death_test, by_one_of_its_handlers_ends_the_process) {
  EXPECT_DEATH(
      {
        auto* const own = new engine({.workers = GetParam()});
        const auto suicide = own->deploy("suicide", [own] { delete own; });
        (void)suicide();
      },
      "^hotplate: an engine was destroyed by one of its handlers\n");
}

TEST_P(end_death_test, by_a_handler_of_another_engine_is_the_hosts_affair) {
  engine other({.workers = 1});
  auto own =
      std::make_unique<engine>(hotplate::engine_config{.workers = GetParam()});
  std::atomic<bool> ended = false;
  own->deploy("nap", [&](context& ctx) {
    struct on_exit {
      ~on_exit() { *done = true; }
      std::atomic<bool>* done;
    } const guard{&ended};
    ctx.sleep_for(seconds(100));
  });
  auto asleep = own->invoke_async("nap");
  const auto destroy = other.deploy("destroy", [&] {
    asleep.detach();
    own.reset();
  });

  EXPECT_TRUE(destroy());
  EXPECT_EQ(own, nullptr);
}

INSTANTIATE_TEST_SUITE_P(workers, end_death_test, testing::Values(0, 1, 2));

/// Ends an engine whose handler does not for 3.3 s, then the process.
[[noreturn]] void wait_for_a_hog() {
  std::atomic<bool> running = false;
  {
    engine own({.workers = 1});
    const auto hog = own.deploy("hog", [&running] {
      running = true;
      std::this_thread::sleep_for(milliseconds(3'300));
    });
    hog.async().detach();
    while (!running) std::this_thread::yield();
  }
  std::_Exit(0);
}

TEST(ending_death_test, names_who_does_not_end_every_second) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      wait_for_a_hog(), ExitedWithCode(0),
      "^hotplate: waiting for function hog to end, 1\\.. s after it was "
      "invoked\n"
      "hotplate: waiting for function hog to end, 2\\.. s after it was "
      "invoked\n"
      "hotplate: waiting for function hog to end, 3\\.. s after it was "
      "invoked\n$");
}

/// The same with an instance whose invocation has been answered.
[[noreturn]] void wait_for_an_instance() {
  struct slow {
    bool used = false;
    ~slow() {
      if (used) std::this_thread::sleep_for(milliseconds(2'300));
    }
    void operator()(context&) { used = true; }
  };
  {
    engine own({.workers = 1});
    static_cast<void>(own.deploy<slow>("slow", {.max_uses = 1})());
  }
  std::_Exit(0);
}

TEST(ending_death_test, names_whose_instances_do_not_end_every_second) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(wait_for_an_instance(), ExitedWithCode(0),
              "^hotplate: waiting for instances of function slow to end\n"
              "hotplate: waiting for instances of function slow to end\n$");
}

TEST(ending_test, answers_all_who_wait_at_once) {
  std::optional<engine> own;
  own.emplace(hotplate::engine_config{.workers = 2});
  const auto nap =
      own->deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(100)); },
                  {.timeout = seconds(200)});
  std::atomic<int> answered = 0;
  std::atomic<int> asked = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 3; ++i) {
    callers.emplace_back([&] {
      auto pending = nap.async();
      ++asked;
      if (pending.get().code() == errc::draining) ++answered;
    });
  }
  while (asked < 3) std::this_thread::yield();
  while (own->stats().in_flight < 3) std::this_thread::yield();

  // Whoever waits is answered before the engine has ended; see drain().
  const auto report = own->drain(milliseconds(0));
  callers.clear();
  own.reset();

  EXPECT_EQ(report.dropped, 3U);
  EXPECT_EQ(answered, 3);
}

// Each other's functions: a worker of one engine is blocked for as long as its
// handler waits for the other engine, as for anything else that is not its own.
TEST(two_engines_test, invoke_each_others_functions_from_handlers) {
  engine one({.workers = 2});
  engine other({.workers = 2});
  const auto down = other.deploy("down", [&](int n) -> int {
    return n == 0 ? 0 : one.invoke("up", std::to_string(n - 1)) ? n : -1;
  });
  one.deploy("up",
             [&](int n) -> int { return n == 0 ? 0 : down(n - 1).value(); });

  EXPECT_EQ(one.invoke("up", "3").value().text(), "2");
  EXPECT_EQ(other.stats().in_flight, 0);
  EXPECT_EQ(one.stats().in_flight, 0);
}

TEST(two_engines_test, a_worker_that_waits_for_another_engine_is_held) {
  engine one({.workers = 1, .max_spare_threads = 0});
  engine other({.workers = 1});
  std::atomic<bool> inside = false;
  std::atomic<bool> go_on = false;
  const auto slow = other.deploy("slow", [&] {
    inside = true;
    while (!go_on) std::this_thread::yield();
  });
  const auto through =
      one.deploy("through", [&] { (void)slow(); }, {.timeout = seconds(60)});
  const auto quick = one.deploy("quick", [] {}, {.timeout = seconds(60)});

  auto first = through.async();
  while (!inside) std::this_thread::yield();
  auto second = quick.async();
  const bool held = !second.wait_until(one.now() + milliseconds(30));
  go_on = true;

  EXPECT_TRUE(held);
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
}

}  // namespace
