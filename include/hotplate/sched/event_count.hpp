#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/futex.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// One worker's bed.
struct alignas(cache_line) bed {
  // Its worker writes 1, whoever takes it back to 0 owns the waking.
  std::atomic<std::uint32_t> asleep = 0;
};

/// Puts workers to sleep and wakes them, without losing a wake-up (P6).
/// A publisher makes its work visible, fences, then looks for sleepers. A
/// worker lies down, fences, then looks for work a last time. Whichever fence
/// comes first, the other side sees what was written before it.
/// Thread safety: all members may be called from any thread.
/// I1: sleepers_ counts the beds whose word is 1.
/// I2: who counts in searching_ looks for work once more after leaving.
/// Stress: tests/stress/event_count_stress_test.cpp
class event_count {
 public:
  void lie_down(bed& own) noexcept {
    own.asleep.store(1, std::memory_order_relaxed);
    sleepers_.fetch_add(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  void sleep(bed& own, std::int64_t until) noexcept {
    futex_wait(&own.asleep, 1, until);
  }

  /// By its worker, whoever or whatever ended its sleep.
  void get_up(bed& own) noexcept { claim(own); }

  /// For whoever is not asked by a publisher, as he counts as searching.
  bool anybody_asleep() const noexcept {
    return sleepers_.load(std::memory_order_relaxed) != 0;
  }

  void start_searching() noexcept {
    searching_.fetch_add(1, std::memory_order_relaxed);
  }
  void stop_searching() noexcept {
    // seq_cst: pairs with the fence in notify(), for I2.
    searching_.fetch_sub(1, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  /// After publishing work that any worker may run. Wakes nobody while one
  /// searches: at some 5 us a wake-up, that is the first thing to save.
  void notify(bed* beds, std::size_t count) noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_relaxed) == 0) return;
    if (searching_.load(std::memory_order_relaxed) > 0) return;
    for (std::size_t i = 0; i < count; ++i) {
      if (wake(beds[i])) return;
    }
  }

  /// After publishing work that only this worker may run.
  void notify(bed& one) noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    wake(one);
  }

 private:
  bool wake(bed& one) noexcept {
    if (!claim(one)) return false;
    futex_wake(&one.asleep, 1);
    return true;
  }

  bool claim(bed& one) noexcept {
    if (one.asleep.load(std::memory_order_relaxed) == 0) return false;
    if (one.asleep.exchange(0, std::memory_order_relaxed) == 0) return false;
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
    return true;
  }

  // Any worker and any publisher write the first, workers the other: apart, as
  // who publishes to one that searches looks at the first only.
  alignas(cache_line) std::atomic<std::int32_t> sleepers_ = 0;
  alignas(cache_line) std::atomic<std::int32_t> searching_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
