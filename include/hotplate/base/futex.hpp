#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <limits>

#include "hotplate/base/assert.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

inline constexpr std::int64_t forever =
    std::numeric_limits<std::int64_t>::max();

/// Sleeps while `word` is `expected`, until woken or until CLOCK_MONOTONIC
/// reads `until` nanoseconds. May return early; the caller looks again.
inline void futex_wait(const void* word, std::uint32_t expected,
                       std::int64_t until = forever) noexcept {
  timespec deadline{};
  deadline.tv_sec = until / 1'000'000'000;
  deadline.tv_nsec = until % 1'000'000'000;
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
          until == forever ? nullptr : &deadline, nullptr,
          FUTEX_BITSET_MATCH_ANY);
}

/// `word` may be gone by now: the kernel only compares its address.
inline void futex_wake(const void* word, int sleepers) noexcept {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, sleepers, nullptr, nullptr, 0);
}

/// Tells the core that this thread is only waiting.
inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  asm volatile("yield" ::: "memory");
#endif
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
