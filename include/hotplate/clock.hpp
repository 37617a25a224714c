#pragma once

#include <atomic>
#include <chrono>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Every time in hotplate: CLOCK_MONOTONIC, or a manual_clock's own.
using time_point = std::chrono::steady_clock::time_point;

inline constexpr time_point no_deadline = time_point::max();

/// Time that only the host moves; for tests and simulations. Starts at 0.
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

  void advance(std::chrono::nanoseconds step) noexcept {
    now_.fetch_add(step.count(), std::memory_order_relaxed);
  }

  /// Never moves backwards: an earlier time changes nothing.
  void advance_to(time_point later) noexcept {
    const auto target = later.time_since_epoch().count();
    auto seen = now_.load(std::memory_order_relaxed);
    while (seen < target && !now_.compare_exchange_weak(
                                seen, target, std::memory_order_relaxed)) {
    }
  }

 private:
  // Written by advance(); relaxed, because it orders nothing but itself.
  std::atomic<std::chrono::nanoseconds::rep> now_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI
