#pragma once

#include <atomic>

#include "hotplate/base/futex.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A mutex of four bytes for sections of a few instructions: spins briefly,
/// then sleeps, so that a holder the kernel has preempted does not cost a
/// waiter its time slice. Not recursive; never held across a fiber switch.
/// Source of the three states: Drepper, "Futexes Are Tricky", mutex 2.
class lock {
 public:
  void acquire() noexcept {
    std::uint32_t seen = open;
    // acquire: pairs with the release in release().
    if (!state_.compare_exchange_strong(seen, held, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
      wait();
    }
  }

  void release() noexcept {
    // release: publishes the section; pairs with the acquires above and below.
    if (state_.exchange(open, std::memory_order_release) == contended) {
      futex_wake(&state_, 1);
    }
  }

 private:
  static constexpr std::uint32_t open = 0;
  static constexpr std::uint32_t held = 1;
  static constexpr std::uint32_t contended = 2;  // Held, and somebody sleeps.
  static constexpr int tries = 100;  // About a microsecond of pauses.

  HOTPLATE_NOINLINE void wait() noexcept {
    for (int i = 0; i < tries; ++i) {
      std::uint32_t seen = open;
      if (state_.compare_exchange_weak(seen, held, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return;
      }
      relax();
    }
    while (state_.exchange(contended, std::memory_order_acquire) != open) {
      futex_wait(&state_, contended);
    }
  }

  std::atomic<std::uint32_t> state_ = open;
};

class [[nodiscard]] lock_guard {
 public:
  explicit lock_guard(lock& guarded) noexcept : lock_(guarded) {
    lock_.acquire();
  }
  lock_guard(const lock_guard&) = delete;
  lock_guard& operator=(const lock_guard&) = delete;
  ~lock_guard() { lock_.release(); }

 private:
  lock& lock_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
