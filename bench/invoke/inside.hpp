#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "hotplate/engine.hpp"

/// What the benchmarks of this folder are run on: limits on, and not reached.
inline hotplate::engine_config two_workers() {
  return {.workers = 2, .max_concurrency = 1'000'000};
}

/// Runs `body(context&)` within a handler of the engine.
template <typename Body>
void in_handler(hotplate::engine& engine, benchmark::State& state,
                const Body& body) {
  const auto run =
      engine.deploy("run", [&](hotplate::context& ctx) { body(ctx); },
                    {.timeout = std::chrono::minutes(15)});
  if (!run()) state.SkipWithError("the handler failed");
  engine.remove("run");
}

/// A class, so that there is an instance to make.
struct increment {
  int operator()(hotplate::context&, int x) const { return x + 1; }
};

using increment_handle = hotplate::function<int(int)>;

inline bool answers(const hotplate::outcome<int>& answer, int x) {
  return answer && answer.value() == x + 1;
}

/// One typed call after the other, from within a handler.
inline void call_nested(hotplate::engine& engine, benchmark::State& state,
                        const increment_handle& target) {
  in_handler(engine, state, [&](hotplate::context&) {
    bool right = answers(target(0), 0);
    int x = 0;
    for (auto _ : state) {
      ++x;
      right &= answers(target(x), x);
    }
    if (!right) state.SkipWithError("a wrong answer");
  });
}

/// Sorts the samples, in ns, and reports what share of them is below what.
inline void report_quantiles(benchmark::State& state,
                             std::vector<double>& samples) {
  if (samples.empty()) return;
  std::sort(samples.begin(), samples.end());
  const auto last = static_cast<double>(samples.size() - 1);
  const auto at = [&](double share) {
    return samples[static_cast<std::size_t>(share * last)];
  };
  state.counters["p01"] = at(0.01);
  state.counters["p10"] = at(0.1);
  state.counters["p25"] = at(0.25);
  state.counters["p50"] = at(0.5);
  state.counters["p75"] = at(0.75);
  state.counters["p90"] = at(0.9);
  state.counters["p99"] = at(0.99);
  state.counters["p999"] = at(0.999);
  state.counters["max"] = samples.back();
}

/// Whether runs of a fixed length or size are to be short: it only has to work.
inline bool is_quick() {
  return std::getenv("HOTPLATE_BENCH_QUICK") != nullptr;
}
