#pragma once

// Question: how long does a plain thread wait for the answer of one small task,
// run by a pool of one worker: one after another, and after 200 us in which
// nobody had anything to do?
// Unit: ns of wall time a round trip; as distributions.
// Left out: starting the pool. Not left out: two readings of the clock, as in
// round_trip/direct. Whoever can spins for up to 50 us before it sleeps; the
// client always can, and is awake when it asks.

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "compare/support/answer_box.hpp"
#include "compare/support/latency.hpp"

namespace compare::round_trip {

inline constexpr int workers = 1;
inline constexpr std::chrono::microseconds spin{50};
inline constexpr std::chrono::microseconds idle{200};

inline int answer(int x) { return x + 1; }

inline void stay_busy(std::chrono::nanoseconds time) {
  const auto until = clock::now() + time;
  while (clock::now() < until) relax();
}

/// `ask(x)` returns answer(x), as found by the worker.
template <typename Ask>
void measure(benchmark::State& state, const Ask& ask, bool after_idle) {
  std::vector<std::int64_t> samples;
  int x = 0;
  for (auto _ : state) {
    if (after_idle) stay_busy(idle);
    const auto start = clock::now();
    const int answered = ask(++x);
    const std::int64_t taken = nanoseconds_since(start);
    if (answered != answer(x)) return state.SkipWithError("a wrong answer");
    samples.push_back(taken);
    state.SetIterationTime(static_cast<double>(taken) * 1e-9);
  }
  report(state, samples);
}

/// With a pool that runs callables and has no way to wait for one.
template <typename Pool>
void measure_pool(benchmark::State& state, Pool& pool, bool after_idle) {
  answer_box box(spin);
  const auto ask = [&](int x) {
    pool.run([&box, x] { box.put(answer(x)); });
    return box.take();
  };
  measure(state, ask, after_idle);
}

/// Registers `run(state, after_idle)` as round_trip/name/hot and .../idle.
template <typename Run>
int add(const std::string& name, Run run) {
  const auto add_one = [&](const char* kind, bool after_idle) {
    return benchmark::RegisterBenchmark(
               ("round_trip/" + name + kind).c_str(),
               [run, after_idle](benchmark::State& state) {
                 run(state, after_idle);
               })
        ->UseManualTime();
  };
  add_one("/hot", false);
  // By its own time alone it would go on for forty times as long.
  add_one("/idle", true)->Iterations(quick() ? 100 : 1'000);
  return 0;
}

}  // namespace compare::round_trip
