#pragma once

#include <atomic>
#include <cstdio>
#include <cstring>

#include "hotplate/base/futex.hpp"
#include "hotplate/clock.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hotplate::inline HOTPLATE_ABI::detail {

inline std::int64_t monotonic_now() noexcept {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

/// The one seam through which the engine reads time, in nanoseconds.
/// Reads the time stamp counter where CPUID says that it is invariant and the
/// kernel itself trusts it (10 ns a read instead of 23), else CLOCK_MONOTONIC.
/// Thread safety: now() from any thread; anchor() from one at a time.
class clock_source {
 public:
  explicit clock_source(const manual_clock* manual) : manual_(manual) {
    if (manual_ == nullptr && counter_is_trusted()) calibrate();
  }

  std::int64_t now() const noexcept {
#if defined(__x86_64__)
    if (counting_) [[likely]]
      return counted();
#endif
    return asked();
  }

  bool manual() const noexcept { return manual_ != nullptr; }
  bool counting() const noexcept { return counting_; }

  /// Ties the counter to CLOCK_MONOTONIC again, so that drift cannot add up.
  void anchor() noexcept {
    if (!counting_) return;
    const stamp here = read_both();
    const auto ticks = static_cast<double>(here.ticks - first_.ticks);
    if (here.nanoseconds - first_.nanoseconds < refine_after) return;
    publish(here,
            static_cast<double>(here.nanoseconds - first_.nanoseconds) / ticks);
  }

 private:
  struct stamp {
    std::uint64_t ticks;
    std::int64_t nanoseconds;
  };
  __extension__ using wide = unsigned __int128;
  static constexpr int shift = 32;  // Of the fixed-point factor.
  static constexpr std::int64_t calibration = 2'000'000;
  static constexpr std::int64_t refine_after = 10'000'000;

  HOTPLATE_NOINLINE std::int64_t asked() const noexcept {
    if (manual_ != nullptr) return manual_->now().time_since_epoch().count();
    return monotonic_now();
  }

  static std::uint64_t read_counter() noexcept {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
  }

  // A sequence lock: an odd count, or one that has changed, means try again.
  std::int64_t counted() const noexcept {
    for (;;) {
      // acquire: pairs with the release in publish().
      const std::uint32_t before = sequence_.load(std::memory_order_acquire);
      const std::uint64_t ticks = read_counter();
      const std::uint64_t from = ticks_.load(std::memory_order_relaxed);
      const std::int64_t base = base_.load(std::memory_order_relaxed);
      const std::uint64_t factor = factor_.load(std::memory_order_relaxed);
      // An acquire load could still be passed by the loads above it.
      std::atomic_signal_fence(std::memory_order_seq_cst);
      if (sequence_.load(std::memory_order_relaxed) == before &&
          (before & 1) == 0) [[likely]] {
        // An unsigned product is one instruction; on the way to another core
        // the counter may seem to step back a little.
        const std::uint64_t passed = ticks > from ? ticks - from : 0;
        return base + static_cast<std::int64_t>(
                          (static_cast<wide>(passed) * factor) >> shift);
      }
    }
  }

  void publish(const stamp& here, double factor) noexcept {
    const std::uint32_t next = sequence_.load(std::memory_order_relaxed) + 1;
    sequence_.store(next, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    ticks_.store(here.ticks, std::memory_order_release);
    base_.store(here.nanoseconds, std::memory_order_release);
    factor_.store(static_cast<std::uint64_t>(factor * (1ULL << shift)),
                  std::memory_order_release);
    // release: publishes the three; pairs with the acquire in counted().
    sequence_.store(next + 1, std::memory_order_release);
  }

  static stamp read_both() noexcept {
    stamp best{};
    std::uint64_t narrowest = ~std::uint64_t{0};
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t before = read_counter();
      const std::int64_t now = monotonic_now();
      const std::uint64_t width = read_counter() - before;
      if (width >= narrowest) continue;
      narrowest = width;
      best = {before + width / 2, now};
    }
    return best;
  }

  void calibrate() noexcept {
    first_ = read_both();
    while (monotonic_now() - first_.nanoseconds < calibration) relax();
    const stamp here = read_both();
    publish(here, static_cast<double>(here.nanoseconds - first_.nanoseconds) /
                      static_cast<double>(here.ticks - first_.ticks));
    counting_ = true;
  }

  static bool counter_is_trusted() noexcept {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    constexpr unsigned invariant = 1U << 8;
    if (__get_cpuid(0x80000007, &a, &b, &c, &d) == 0) return false;
    if ((d & invariant) == 0) return false;
    char name[16] = {};
    constexpr const char* path =
        "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    if (std::FILE* const file = std::fopen(path, "re")) {
      if (std::fgets(name, sizeof name, file) == nullptr) name[0] = '\0';
      std::fclose(file);
    }
    return std::strncmp(name, "tsc", 3) == 0;
#else
    return false;
#endif
  }

  const manual_clock* manual_;
  bool counting_ = false;
  stamp first_{};
  // Written by anchor() only.
  std::atomic<std::uint32_t> sequence_ = 0;
  std::atomic<std::uint64_t> ticks_ = 0;
  std::atomic<std::int64_t> base_ = 0;
  std::atomic<std::uint64_t> factor_ = 0;
};

/// In its place, what it said before.
struct moment {
  std::int64_t now() const noexcept { return at; }
  std::int64_t at;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
