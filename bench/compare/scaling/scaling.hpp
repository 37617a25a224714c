#pragma once

// Question: how many more small calls do two threads make than one, if they
// share nothing of their own?
// Unit: ns of wall time a call, over all threads: halved where it scales.
// Left out: getting onto the worker; each thread makes its calls from there.

#include <benchmark/benchmark.h>

#include <cstdint>

namespace compare::scaling {

inline constexpr int workers = 2;
inline constexpr int calls =
    100;  // Between two looks at the benchmark's state.

inline int answer(int x) { return x + 1; }

/// `call(x)` returns answer(x). Runs on each of the benchmark's threads, or on
/// the worker of each.
template <typename Call>
void measure(benchmark::State& state, const Call& call) {
  int x = 0;
  while (state.KeepRunningBatch(calls)) {
    const int before = x;
    for (int i = 0; i < calls; ++i) x = call(x);
    if (x != before + calls) return state.SkipWithError("a wrong answer");
    x %= 1'000'000;
  }
  state.SetItemsProcessed(state.iterations());
}

/// On one thread, and on two.
inline void sweep(benchmark::internal::Benchmark* of) {
  of->Threads(1)->Threads(2)->UseRealTime();
}

}  // namespace compare::scaling
