#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace trace {

inline constexpr std::size_t minutes_per_day = 1440;

/// Of all functions together: replay holds the arrivals of a minute at a time.
inline constexpr std::uint64_t most_a_minute = 10'000'000;

/// Share of the durations below, and the duration in milliseconds.
struct quantile {
  double share = 0;
  double ms = 0;
};

/// One function's day.
struct function_day {
  std::string id;
  std::string application;
  double memory_mb = 0;
  std::array<quantile, 7> durations{};  ///< Ascending in both.
  std::array<std::uint32_t, minutes_per_day> invocations{};  ///< A minute.
};

/// A day of traffic.
struct day {
  std::vector<function_day> functions;
  std::size_t without_memory = 0;     ///< Given the median of the others.
  std::size_t without_durations = 0;  ///< Given the median of the others.
  std::vector<std::string> warnings;  ///< What may be wrong with its files.

  std::uint64_t invocations() const {
    std::uint64_t sum = 0;
    for (const function_day& each : functions) {
      for (const std::uint32_t count : each.invocations) sum += count;
    }
    return sum;
  }
};

}  // namespace trace
