#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Every time in hotplate: CLOCK_MONOTONIC, or a manual_clock's own.
using time_point = std::chrono::steady_clock::time_point;

inline constexpr time_point no_deadline = time_point::max();

namespace detail {

/// `time` after `from`; the first or last moment of all where that is beyond.
constexpr time_point after(time_point from,
                           std::chrono::nanoseconds time) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(from.time_since_epoch().count(), time.count(),
                             &sum)) {
    return time.count() > 0 ? time_point::max() : time_point::min();
  }
  return time_point(std::chrono::nanoseconds(sum));
}

}  // namespace detail

/// Time that only the host moves; for tests and simulations. Starts at 0, never
/// moves backwards, and stands still at latest(): what would be due later never
/// is.
/// Give it to a host-pumped engine, which it must outlive, and step time with
/// `engine.run_until()`, `run_for()` or `run_until_idle()`: they stop at every
/// timer on the way. `advance()` jumps: what was due in between happens late,
/// as after a suspended machine.
/// Thread safety: all members may be called from any thread.
class manual_clock {
 public:
  time_point now() const noexcept {
    return time_point{
        std::chrono::nanoseconds{now_.load(std::memory_order_relaxed)}};
  }

  /// 146 years from the start, and as long before the end of time_point: every
  /// deadline counted from now on can be told.
  static constexpr time_point latest() noexcept {
    return time_point(std::chrono::nanoseconds(std::int64_t{1} << 62));
  }

  void advance(std::chrono::nanoseconds step) noexcept {
    if (step.count() <= 0) return;
    auto seen = now_.load(std::memory_order_relaxed);
    while (!now_.compare_exchange_weak(seen, bounded(seen, step),
                                       std::memory_order_relaxed)) {
    }
  }

  /// An earlier time changes nothing.
  void advance_to(time_point later) noexcept {
    const auto target = std::min(later, latest()).time_since_epoch().count();
    auto seen = now_.load(std::memory_order_relaxed);
    while (seen < target && !now_.compare_exchange_weak(
                                seen, target, std::memory_order_relaxed)) {
    }
  }

 private:
  static std::int64_t bounded(std::int64_t from,
                              std::chrono::nanoseconds step) noexcept {
    const time_point sum =
        detail::after(time_point(std::chrono::nanoseconds(from)), step);
    return std::min(sum, latest()).time_since_epoch().count();
  }

  // Written by advance(); relaxed, because it orders nothing but itself.
  std::atomic<std::chrono::nanoseconds::rep> now_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI
