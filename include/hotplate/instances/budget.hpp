#pragma once

#include <atomic>
#include <cstdint>

#include "hotplate/instances/instance.hpp"
#include "hotplate/sched/timers.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Idle instances that have been given up, and what their memory is beyond what
/// was asked for. They end before a byte of it is used.
struct eviction {
  bool enough = false;
  instance* first = nullptr;  // By `older`.
  std::int64_t excess = 0;
};

inline mebibytes in_mebibytes(std::int64_t count) noexcept {
  return {static_cast<std::uint32_t>(count)};
}

/// The memory that the instances of an engine may have together, in mebibytes.
/// What is claimed for an instance stays so until it has ended.
/// Pools that may have an idle instance to give up are ranked by when it was
/// last used, at the latest: who finds that it was used since ranks it anew.
/// Thread safety: all members may be called from any thread; claim() without
/// any pool's lock, rank() under its pool's.
/// I1: used_ never exceeds limit_, if that is set.
/// Stress: tests/stress/budget_stress_test.cpp
class instance_budget {
 public:
  explicit instance_budget(std::int64_t limit) noexcept : limit_(limit) {}

  bool limited() const noexcept { return limit_ > 0; }
  std::int64_t limit() const noexcept { return limit_; }
  std::int64_t used() const noexcept {
    return used_.load(std::memory_order_relaxed);
  }
  std::int64_t peak() const noexcept {
    return peak_.load(std::memory_order_relaxed);
  }
  std::uint64_t evictions() const noexcept {
    return evictions_.load(std::memory_order_relaxed);
  }

  /// Room for one more pool; false when memory is out.
  bool expect_pool() noexcept { return !limited() || ranks_.expect(1); }

  bool try_claim(std::int64_t memory) noexcept {
    if (!limited()) return true;
    std::int64_t seen = used_.load(std::memory_order_relaxed);
    do {
      if (seen + memory > limit_) return false;
      // acquire: pairs with give_back(), after which the memory is free.
    } while (!used_.compare_exchange_weak(seen, seen + memory,
                                          std::memory_order_acquire,
                                          std::memory_order_relaxed));
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (peak < seen + memory &&
           !peak_.compare_exchange_weak(peak, seen + memory,
                                        std::memory_order_relaxed)) {
    }
    return true;
  }

  void give_back(std::int64_t memory) noexcept {
    if (limited()) used_.fetch_sub(memory, std::memory_order_release);
  }

  /// The same as try_claim(), but for what idle instances have to give up for
  /// it: those unused longest, and none if all of them were not enough.
  eviction claim(std::int64_t memory) noexcept;

  void rank(timer& entry, std::int64_t last_use) noexcept {
    entry.token = static_cast<std::uint64_t>(last_use);
    ranks_.arm(entry, last_use, timer_order::keep_alive);
  }
  void unrank(timer& entry) noexcept { ranks_.disarm(entry); }

  /// By the entry that fires: the pool's answer, or null.
  void offer(instance* given_up) noexcept { offered_ = given_up; }

 private:
  // --- evict.hpp
  eviction unharmed(instance* taken) noexcept;

  instance* next_victim() noexcept {
    offered_ = nullptr;
    while (offered_ == nullptr && ranks_.fire_one(forever)) {
    }
    return offered_;
  }

  const std::int64_t limit_;
  std::atomic<std::int64_t> used_ = 0;
  std::atomic<std::int64_t> peak_ = 0;
  std::atomic<std::uint64_t> evictions_ = 0;
  // Taken before any pool's. One at a time: two that each hold half of what
  // both need would both be refused.
  lock evicting_;
  instance* offered_ = nullptr;  // Under evicting_.
  timer_queue ranks_;            // By the time of the last use.
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
