#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

#include "hotplate/suspend.hpp"

// What waits while an exception is on its way out, or without an invocation.

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(unwinding_test, invoke_here_does_not_see_its_callers_exceptions) {
  hotplate::engine engine({.workers = 1});
  std::atomic<int> sleeps = 0, seen = 0;
  const auto sleeper =
      engine.deploy("sleeper",
                    [&](context& ctx) {
                      seen += std::uncaught_exceptions();
                      seen += std::current_exception() == nullptr ? 0 : 1;
                      for (; sleeps < 1'000'000; ++sleeps)
                        ctx.sleep_for(milliseconds(1));
                    },
                    {.timeout = milliseconds(20)});
  errc code = errc::ok;
  struct invokes_in_its_destructor {
    ~invokes_in_its_destructor() { code = engine.invoke_here(target).code(); }
    hotplate::engine& engine;
    const hotplate::function<void()>& target;
    errc& code;
  };

  try {
    try {
      throw std::runtime_error("outer");
    } catch (...) {
      const invokes_in_its_destructor guard{engine, sleeper, code};
      throw std::runtime_error("inner");
    }
  } catch (const std::runtime_error& why) {
    EXPECT_EQ(std::string(why.what()), "inner");
  }

  EXPECT_EQ(code, errc::timed_out);
  EXPECT_LT(sleeps, 1'000'000);
  EXPECT_EQ(seen, 0);
}

// Takes its time between the claim and the answer.
struct slow_meter : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation& call) override {
    if (call.function != "child") return;
    told = true;
    while (!go_on) {
    }
    failed = call.failure != nullptr && call.failure->code == errc::cancelled;
  }
  std::atomic<bool> told = false, go_on = false, failed = false;
};

TEST(unwinding_test, who_is_over_waits_for_what_another_just_settles) {
  slow_meter meter;
  hotplate::engine engine({.workers = 2, .meters = {&meter}});
  hotplate::semaphore never(engine, 0);
  const auto child = engine.deploy("child", [&](context&) -> std::string {
    never.acquire();
    return "never";
  });
  hotplate::pending<std::string>* started = nullptr;
  std::atomic<bool> running = false;
  errc seen = errc::ok;
  const auto caller = engine.deploy("caller", [&](context& ctx) {
    auto pending = child.async();
    started = &pending;
    struct gets_in_its_destructor {
      ~gets_in_its_destructor() { code = pending.get().code(); }
      hotplate::pending<std::string>& pending;
      errc& code;
    } const guard{pending, seen};
    running = true;
    ctx.sleep_for(seconds(60));
  });
  auto outer = caller.async();
  while (!running) {
  }

  std::thread cancelling([&] { started->cancel(); });
  while (!meter.told) {
  }
  outer.cancel();
  std::this_thread::sleep_for(milliseconds(20));
  meter.go_on = true;
  cancelling.join();
  EXPECT_TRUE(engine.drain(seconds(60)).running.empty());

  EXPECT_TRUE(meter.failed);
  EXPECT_EQ(seen, errc::cancelled);
}

// Made ahead, it belongs to no invocation.
struct made_ahead {
  static inline hotplate::engine* engine = nullptr;
  static inline std::atomic<bool>* go_on = nullptr;
  made_ahead() {
    while (!*go_on) hotplate::yield(*engine);
  }
  int operator()(context&) { return 1; }
};

TEST(unwinding_test, an_init_ahead_may_let_others_run) {
  std::atomic<bool> go_on = false;
  hotplate::engine engine({.workers = 1});
  made_ahead::engine = &engine;
  made_ahead::go_on = &go_on;
  const auto release = engine.deploy("release", [&] { go_on = true; });

  const auto ahead = engine.deploy<made_ahead>("ahead", {.provisioned = 1});
  release().value();

  EXPECT_EQ(ahead().value(), 1);
}

}  // namespace
