#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "hotplate/error.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// How an invocation came by its instance.
enum class start_kind : std::uint8_t {
  none,         ///< It never reached an instance.
  warm,         ///< One was there that had been used before.
  provisioned,  ///< One was there that had been made ahead.
  /// One of the provisioned was there that had been used before.
  provisioned_warm,
  restored,  ///< One was made for it, as a copy of the snapshot.
  cold,      ///< One was made and initialised for it.
};
inline constexpr std::size_t start_kind_count = 6;

/// Whether the instance was made for it, which took time (`usage::init`).
constexpr bool was_made(start_kind start) noexcept {
  return start >= start_kind::restored;
}

/// Whether it ran on provisioned capacity, not on demand.
constexpr bool is_provisioned(start_kind start) noexcept {
  return start == start_kind::provisioned ||
         start == start_kind::provisioned_warm;
}

constexpr std::string_view to_string(start_kind start) noexcept {
  constexpr std::string_view names[start_kind_count] = {
      "none", "warm", "provisioned", "provisioned_warm", "restored", "cold"};
  return names[static_cast<std::size_t>(start)];
}

/// What caused an invocation.
enum class trigger : std::uint8_t { direct, http, timer, queue, event };

/// Unique among all engines of all processes, for all practical purposes.
struct request_id {
  std::uint64_t engine = 0;  ///< Random, one per engine.
  std::uint64_t number = 0;  ///< Unique within the engine.

  friend bool operator==(const request_id&, const request_id&) = default;
};

/// In the 8-4-4-4-12 form of a UUID.
inline std::string to_string(const request_id& id) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (int nibble = 0; nibble < 32; ++nibble) {
    const std::uint64_t word = nibble < 16 ? id.engine : id.number;
    text += digits[(word >> (60 - 4 * (nibble % 16))) & 15];
    if (nibble == 7 || nibble == 11 || nibble == 15 || nibble == 19) {
      text += '-';
    }
  }
  return text;
}

/// What one invocation consumed; written once, when it settles.
struct usage {
  using nanoseconds = std::chrono::nanoseconds;

  request_id id;
  std::uint32_t version = 0;  ///< 0: no version was reached.
  std::uint32_t attempt = 1;
  std::uint32_t memory_mib = 0;  ///< The function's memory, as configured.
  hotplate::trigger trigger = hotplate::trigger::direct;
  start_kind start = start_kind::none;
  errc status = errc::ok;
  stage reached = stage::arrival;

  nanoseconds queued{0};     ///< From arrival to the start of init or handler.
  nanoseconds init{0};       ///< The cold start, or the restoring.
  nanoseconds duration{0};   ///< The handler, wall time.
  nanoseconds suspended{0};  ///< Of `duration`, switched out.

  std::size_t arena_peak_bytes = 0;
  std::size_t event_bytes = 0;     ///< By-name invocations only.
  std::size_t response_bytes = 0;  ///< By-name invocations only.

  /// Of `duration`, switched in; preemption by the kernel counts as running.
  nanoseconds running() const noexcept { return duration - suspended; }

  /// init + duration, rounded up to a whole millisecond.
  std::chrono::milliseconds billed() const noexcept {
    const auto whole = static_cast<std::uint64_t>((init + duration).count());
    return std::chrono::milliseconds((whole + 999'999) / 1'000'000);
  }

  /// The function's memory times `billed()`.
  double gb_seconds() const noexcept {
    return memory_mib / 1024.0 * static_cast<double>(billed().count()) / 1000.0;
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
