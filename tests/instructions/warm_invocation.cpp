// warm_invocation N MODE: makes N warm invocations of an empty handler on a
// host-pumped engine, metering on. Counted by count.py.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "hotplate/engine.hpp"
#include "modes.hpp"

namespace {

using hotplate::context;

// Called by the host, through a typed handle.
bool typed(hotplate::engine& engine, int count) {
  const auto empty = engine.deploy("empty", [](context&) {});
  bool all = true;
  for (int i = 0; i < count; ++i) all = empty().has_value() && all;
  return all;
}

// Called by a handler, through a typed handle.
bool nested(hotplate::engine& engine, int count) {
  const auto empty = engine.deploy("empty", [](context&) {});
  const auto caller = engine.deploy("caller",
                                    [&](context&, int times) {
                                      bool all = true;
                                      for (int i = 0; i < times; ++i)
                                        all = empty().has_value() && all;
                                      return all;
                                    },
                                    {.timeout = std::chrono::minutes(15)});
  return caller(count).value();
}

// As nested, on a manual clock, which costs the same each time; with a deadline
// of the caller's, or without.
bool clocked(int count, bool bounded) {
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto deadline =
      bounded ? engine.now() + std::chrono::minutes(1) : hotplate::no_deadline;
  const auto empty =
      engine.deploy("empty", [](context&) {}).with({.deadline = deadline});
  const auto caller = engine.deploy("caller", [&](context&, int times) {
    bool all = true;
    for (int i = 0; i < times; ++i) all = empty().has_value() && all;
    return all;
  });
  return caller.with({.deadline = deadline})(count).value();
}

// Called by the host, by name, with an event of 100 bytes.
bool named(hotplate::engine& engine, int count) {
  engine.deploy("empty", [](context&, hotplate::payload_view) {});
  const std::string event(100, 'x');
  bool all = true;
  for (int i = 0; i < count; ++i) {
    all = engine.invoke("empty", event).has_value() && all;
  }
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return EXIT_FAILURE;
  const int count = std::atoi(argv[1]);
  const std::string_view mode = argv[2];
  if (mode == "here") return here(count) ? 0 : 1;
  hotplate::engine engine({.workers = 0, .max_concurrency = 1'000'000});
  if (mode == "typed") return typed(engine, count) ? 0 : 1;
  if (mode == "nested") return nested(engine, count) ? 0 : 1;
  if (mode == "named") return named(engine, count) ? 0 : 1;
  if (mode == "unbounded") return clocked(count, false) ? 0 : 1;
  if (mode == "bounded") return clocked(count, true) ? 0 : 1;
  if (mode == "async") return async(engine, count) ? 0 : 1;
  if (mode == "fan_out") return fan_out(engine, count) ? 0 : 1;
  std::fprintf(stderr,
               "modes: typed nested named unbounded bounded here async "
               "fan_out\n");
  return EXIT_FAILURE;
}
