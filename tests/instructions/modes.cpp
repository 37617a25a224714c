#include "modes.hpp"

#include <chrono>
#include <vector>

namespace {

using hotplate::context;

// Valgrind is slow.
constexpr std::chrono::minutes long_enough{15};

}  // namespace

bool here(int count) {
  hotplate::engine engine({.workers = 1});
  const auto empty = engine.deploy("empty", [](context&) {});
  bool all = true;
  for (int i = 0; i < count; ++i) {
    all = engine.invoke_here(empty).has_value() && all;
  }
  return all;
}

bool async(hotplate::engine& engine, int count) {
  constexpr int window = 500;
  int ended = 0;
  const auto empty = engine.deploy("empty", [&](context&) { ++ended; });
  const auto start = engine.deploy("start", [&](context&, int times) {
    for (int i = 0; i < times; ++i) (void)empty.async();
  });
  bool all = true;
  for (int i = 0; i < count; i += window) {
    all = start(window).has_value() && all;
    engine.run_until_idle();
  }
  return all && ended == count;
}

bool fan_out(hotplate::engine& engine, int count) {
  constexpr int children = 1'000;
  const auto one = engine.deploy("one", [](context&, int x) { return x; },
                                 {.max_concurrency = 2 * children});
  const auto caller =
      engine.deploy("caller",
                    [&](context&, int times) {
                      const std::vector<int> inputs(children, 1);
                      int sum = 0;
                      for (int i = 0; i < times; i += children) {
                        for (const auto& each : one.invoke_all(inputs))
                          sum += each.value();
                      }
                      return sum;
                    },
                    {.timeout = long_enough});
  return caller(count).value() == count;
}
