#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace compare {

using clock = std::chrono::steady_clock;

inline std::int64_t nanoseconds_since(clock::time_point start) {
  return std::chrono::nanoseconds(clock::now() - start).count();
}

/// Whether runs of a fixed length are to be short: they are only to be seen to
/// work.
inline bool quick() { return std::getenv("HOTPLATE_BENCH_QUICK") != nullptr; }

/// Reports samples, in ns, as counters p50 p90 p99 p999 max. Sorts them.
inline void report(benchmark::State& state, std::vector<std::int64_t>& samples,
                   const std::string& prefix = "") {
  if (samples.empty()) return;
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    const auto last = static_cast<double>(samples.size() - 1);
    return static_cast<double>(samples[static_cast<std::size_t>(share * last)]);
  };
  state.counters[prefix + "p50"] = at(0.5);
  state.counters[prefix + "p90"] = at(0.9);
  state.counters[prefix + "p99"] = at(0.99);
  state.counters[prefix + "p999"] = at(0.999);
  state.counters[prefix + "max"] = at(1);
}

}  // namespace compare
