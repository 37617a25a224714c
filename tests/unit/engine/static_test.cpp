#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

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
    if (instances_alive == 0 && asleep_ended) return;
    std::fputs("static destruction left something behind\n", stderr);
    std::_Exit(1);
  }
  bool asleep_ended = false;
  std::unique_ptr<hotplate::engine> engine;
} everything;

// What is checked here is checked once main() has returned: the program's exit
// status tells.
TEST(static_test, an_engine_may_end_after_main) {
  everything.engine =
      std::make_unique<hotplate::engine>(hotplate::engine_config{.workers = 2});
  hotplate::engine& engine = *everything.engine;
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

}  // namespace
