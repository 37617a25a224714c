#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;

int instances_alive = 0;

struct counted {
  counted() { ++instances_alive; }
  ~counted() { --instances_alive; }
  int operator()(context& ctx) {
    thread_local int calls_here = 0;
    ctx.yield();
    return ++calls_here;
  }
};

/// Ends after main(), with a handler asleep and an instance warm.
struct program_wide {
  ~program_wide() {
    engine.reset();
    if (instances_alive == 0 && asleep_ended && called_late) return;
    std::fputs("static destruction left something behind\n", stderr);
    std::_Exit(1);
  }
  bool asleep_ended = false;
  bool called_late = false;  // By a thread_local's destructor.
  std::unique_ptr<hotplate::engine> engine;
} everything;

/// Ends before what is static does, and calls the engine then.
struct calls_at_exit {
  ~calls_at_exit() {
    everything.called_late = everything.engine->invoke("count").has_value();
  }
  bool made = false;
};
thread_local calls_at_exit at_exit;

// What is checked here is checked once main() has returned: the program's exit
// status tells.
TEST(static_test, an_engine_may_end_after_main) {
  everything.engine =
      std::make_unique<hotplate::engine>(hotplate::engine_config{.workers = 2});
  hotplate::engine& engine = *everything.engine;
  at_exit.made = true;
  const auto count = engine.deploy<counted>("count");
  EXPECT_EQ(count().value(), 1);
  EXPECT_EQ(instances_alive, 1);
  const auto nap = engine.deploy("nap", [](context& ctx) {
    struct on_exit {
      ~on_exit() { everything.asleep_ended = true; }
    } guard;
    ctx.sleep_for(std::chrono::seconds(100));
  });
  nap.async().detach();
  while (engine.in_flight().empty() ||
         engine.in_flight()[0].state != hotplate::invocation_state::suspended) {
  }
}

/// Ends with its thread, after thread-locals that were made later.
struct of_a_thread {
  ~of_a_thread() { *ended = instances_alive == before; }
  bool* ended = nullptr;
  int before = instances_alive;
};

TEST(static_test, an_engine_may_end_with_a_thread) {
  bool ended = false;
  std::thread([&] {
    thread_local of_a_thread last;
    last.ended = &ended;
    thread_local hotplate::engine engine({.workers = 1});
    const auto count = engine.deploy<counted>("count");
    EXPECT_EQ(count().value(), 1);
    engine.invoke_async("count").detach();
  }).join();
  EXPECT_TRUE(ended);
}

}  // namespace
