#pragma once

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "hotplate/base/asymmetric_fence.hpp"
#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/error.hpp"
#include "hotplate/meter.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Instead of an index: the calling thread is no worker.
inline constexpr std::size_t no_worker = ~std::size_t{0};

/// The host's meters, which come and go while they are told.
/// Thread safety: all members may be called from any thread; tell(worker, ...)
/// from that worker.
/// I1: a place stays until the set ends; it is empty, or its meter was added
///     and is not removed. Each meter has one place at most.
/// I2: who tells has entered before it looks at the first place, and leaves
///     after the last: a worker's turn is odd meanwhile, anybody else stands in
///     a list.
/// I3: remove() empties the place, then waits for everybody who had entered.
///     Between entering and looking there is one half of a fence, between
///     emptying and looking who has entered the other: who still found the
///     meter there is seen to have entered, and so is waited for.
/// I4: nobody waits within a callback, so that nobody waits for itself, nor two
///     for each other.
/// Stress: tests/stress/meter_stress_test.cpp
class meter_set {
 public:
  explicit meter_set(std::size_t workers) : turns_(workers) {}
  meter_set(const meter_set&) = delete;
  meter_set& operator=(const meter_set&) = delete;
  ~meter_set() {
    place* each = first_.load(std::memory_order_relaxed);
    while (each != nullptr) delete std::exchange(each, each->next.load());
  }

  /// Relaxed: who was told, by whatever way, that add() has returned, sees its
  /// count.
  bool empty() const noexcept {
    return count_.load(std::memory_order_relaxed) == 0;
  }

  /// False if it is there already.
  bool add(meter& added) {
    entering_.arm();
    const lock_guard hold(lock_);
    if (find(&added) != nullptr) return false;
    place* const vacant = find(nullptr);
    place& its = vacant != nullptr ? *vacant : append();
    // release: publishes the meter; pairs with tell_all().
    its.who.store(&added, std::memory_order_release);
    count_.fetch_add(1, std::memory_order_release);
    return true;
  }

  /// False if it is not there. When it returns, no callback of it is running.
  /// Throws bad_config within a callback of any meter here; `worker` is the
  /// calling one.
  bool remove(meter& gone, std::size_t worker) {
    if (is_telling(worker)) {
      throw bad_config({"remove_meter: a meter's callback must not call it"});
    }
    {
      const lock_guard hold(lock_);
      place* const its = find(&gone);
      if (its == nullptr) return false;
      its->who.store(nullptr, std::memory_order_relaxed);
      count_.fetch_sub(1, std::memory_order_relaxed);
    }
    entering_.heavy();
    wait_for_workers();
    wait_for_others();
    return true;
  }

  /// Calls say(meter) for each; what one throws is counted, and no more.
  template <typename Say>
  void tell(std::size_t worker, const Say& say) noexcept {
    if (worker == no_worker) return tell_outside(say);
    auto& mine = turns_[worker].number;
    const std::uint64_t before = mine.load(std::memory_order_relaxed);
    // Odd where a callback has ended another invocation, of which it tells.
    const std::uint64_t within = before | 1;
    mine.store(within, std::memory_order_relaxed);
    entering_.light();
    tell_all(say);
    // release: pairs with the acquires in wait_for_workers().
    mine.store(before == within ? before : before + 2,
               std::memory_order_release);
  }

  /// Whether a callback is running on that worker.
  bool tells(std::size_t worker) const noexcept {
    return turns_[worker].number.load(std::memory_order_relaxed) % 2 != 0;
  }

  std::uint64_t failures() const noexcept {
    return failures_.load(std::memory_order_relaxed);
  }

 private:
  struct place {
    std::atomic<meter*> who = nullptr;  // Written under the lock.
    std::atomic<place*> next = nullptr;
  };
  struct alignas(cache_line) turn {
    std::atomic<std::uint64_t> number = 0;  // Written by its worker.
  };
  /// Of a thread that is no worker: in a list while it tells.
  struct visit {
    pthread_t thread;
    std::uint64_t number = 0;
    visit* next = nullptr;
    visit* previous = nullptr;
  };

  template <typename Say>
  HOTPLATE_INLINE void tell_all(const Say& say) noexcept {
    const place* at = first_.load(std::memory_order_acquire);
    for (; at != nullptr; at = at->next.load(std::memory_order_acquire)) {
      // acquire: pairs with the release in add().
      meter* const who = at->who.load(std::memory_order_acquire);
      if (who == nullptr) continue;
      try {
        say(*who);
      } catch (...) {
        failures_.fetch_add(1, std::memory_order_relaxed);
      }
    }
  }

  template <typename Say>
  HOTPLATE_NOINLINE void tell_outside(const Say& say) noexcept {
    visit mine;
    enter(mine);
    tell_all(say);
    leave(mine);
  }

  // Not inlined, so that pthread_self() is asked anew: see sched/fiber.hpp.
  HOTPLATE_NOINLINE void enter(visit& mine) noexcept {
    mine.thread = pthread_self();
    const lock_guard hold(lock_);
    mine.number = ++visits_;
    mine.next = inside_;
    if (inside_ != nullptr) inside_->previous = &mine;
    inside_ = &mine;
  }
  void leave(visit& mine) noexcept {
    const lock_guard hold(lock_);
    *(mine.previous == nullptr ? &inside_ : &mine.previous->next) = mine.next;
    if (mine.next != nullptr) mine.next->previous = mine.previous;
  }

  HOTPLATE_NOINLINE bool is_telling(std::size_t worker) noexcept {
    if (worker != no_worker && tells(worker)) return true;
    const lock_guard hold(lock_);
    const visit* at = inside_;
    while (at != nullptr && pthread_equal(at->thread, pthread_self()) == 0) {
      at = at->next;
    }
    return at != nullptr;
  }

  void wait_for_workers() const noexcept {
    for (const turn& each : turns_) {
      // acquire: the last callback has happened before remove() returns.
      const std::uint64_t seen = each.number.load(std::memory_order_acquire);
      if (seen % 2 == 0) continue;
      while (each.number.load(std::memory_order_acquire) == seen) nap();
    }
  }

  // Who enters later does so after the place was emptied, by the lock.
  void wait_for_others() noexcept {
    for (std::uint64_t last = 0;;) {
      {
        const lock_guard hold(lock_);
        if (last == 0) last = visits_;
        const visit* at = inside_;
        while (at != nullptr && at->number > last) at = at->next;
        if (at == nullptr) return;
      }
      nap();
    }
  }

  static void nap() noexcept {
    constexpr timespec time{0, 50'000};
    nanosleep(&time, nullptr);
  }

  // Under the lock.
  place* find(const meter* who) const noexcept {
    place* at = first_.load(std::memory_order_relaxed);
    while (at != nullptr && at->who.load(std::memory_order_relaxed) != who) {
      at = at->next.load(std::memory_order_relaxed);
    }
    return at;
  }
  // Behind the others: meters are told in the order in which they came.
  place& append() {
    std::atomic<place*>* end = &first_;
    while (place* const at = end->load(std::memory_order_relaxed)) {
      end = &at->next;
    }
    auto* const made = new place;
    // release: publishes the empty place; pairs with tell_all().
    end->store(made, std::memory_order_release);
    return *made;
  }

  std::atomic<std::size_t> count_ = 0;  // Written under the lock.
  std::atomic<place*> first_ = nullptr;
  asymmetric_fence entering_;  // Of workers, to their turns.
  const owned_array<turn> turns_;
  std::atomic<std::uint64_t> failures_ = 0;
  lock lock_;  // Guards all writing, and what follows.
  visit* inside_ = nullptr;
  std::uint64_t visits_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
