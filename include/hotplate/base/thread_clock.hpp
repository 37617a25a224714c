#pragma once

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstdint>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Processor time of one thread, for others to read.
/// Thread safety: adopt() from the thread, read() from any.
class thread_clock {
 public:
  /// The calling thread's from now on, until that ends.
  void adopt() noexcept {
    clockid_t clock = none;
    if (pthread_getcpuclockid(pthread_self(), &clock) != 0) clock = none;
    clock_.store(clock, std::memory_order_relaxed);
  }

  /// In nanoseconds; -1 if it is not known.
  std::int64_t read() const noexcept {
    const clockid_t clock = clock_.load(std::memory_order_relaxed);
    timespec spent{};
    if (clock == none || clock_gettime(clock, &spent) != 0) return -1;
    return spent.tv_sec * std::int64_t{1'000'000'000} + spent.tv_nsec;
  }

 private:
  static constexpr clockid_t none = ~clockid_t{0};
  std::atomic<clockid_t> clock_ = none;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
