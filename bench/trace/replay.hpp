#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "hotplate/error.hpp"
#include "hotplate/meter.hpp"
#include "hotplate/stats.hpp"
#include "trace/trace.hpp"

namespace trace {

struct replay_options {
  std::chrono::minutes keep_alive{10};
  /// An invocation takes no time and comes at the start of its minute.
  bool ignore_durations = false;
  std::uint64_t seed = 1;  ///< Of arrivals within a minute and of durations.
  std::vector<hotplate::meter*> meters = {};
  /// Told the share of the day that is done, ten times a second at most and
  /// once at the end.
  std::function<void(double share)> progress = {};
};

struct replay_result {
  std::uint64_t invocations = 0;
  std::uint64_t cold = 0;
  std::uint64_t warm = 0;
  std::uint64_t failed = 0;  ///< Throttled, timed out and so on.
  std::array<std::uint64_t, hotplate::errc_count> by_code{};
  std::int64_t peak_concurrency = 0;
  /// The trace's own memory times what instances idled until midnight.
  double wasted_gb_seconds = 0;
  double gb_seconds = 0;  ///< Billed.
  double wall_seconds = 0;
  /// Cold starts in a hundred invocations, of the functions invoked at all.
  double cold_percent_p50 = 0;
  double cold_percent_p75 = 0;
  double cold_percent_mean = 0;
  std::vector<hotplate::function_stats> functions;  ///< In the day's order.

  std::uint64_t count(hotplate::errc code) const noexcept {
    return by_code[static_cast<std::size_t>(code)];
  }
};

/// Runs a day through an engine of its own, host-pumped on a manual clock: the
/// same registry, admission, instances and metering as any other traffic.
/// Function n is deployed as "f<n>", with its memory rounded up to what deploy
/// accepts. The same options give the same result, wall time excepted.
replay_result replay(const day& traffic, const replay_options& options);

}  // namespace trace
