#pragma once

#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <new>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/owned.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct task;

/// A worker's own unstarted tasks: the owner pushes and pops at the bottom,
/// thieves take the oldest from the top.
/// Source: Chase and Lev, "Dynamic circular work-stealing deque" (SPAA 2005),
/// with the orders of Lê et al., "Correct and efficient work-stealing for weak
/// memory models" (PPoPP 2013).
/// Thread safety: push() and pop() from the owner, the rest from any thread.
/// I1: slots [top, bottom) hold tasks; nobody but the owner moves bottom.
/// I2: top only grows; who moves it from t to t + 1 has the task of slot t.
/// I3: a ring stays allocated until the deque ends: a thief may still read it.
/// Stress: tests/stress/deque_stress_test.cpp
class deque {
 public:
  deque() : ring_(grow(nullptr, 0, 0)) {}

  /// False when memory is out; the task is then not in the deque.
  bool push(task* pushed) noexcept {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    ring* target = ring_.load(std::memory_order_relaxed);
    if (bottom - top_seen_ >= target->capacity) [[unlikely]] {
      target = make_room(target, bottom);
      if (target == nullptr) return false;
    }
    target->put(bottom, pushed);
    // release: publishes the slot (and *pushed); pairs with steal()'s acquire.
    bottom_.store(bottom + 1, std::memory_order_release);
    return true;
  }

  task* pop() noexcept {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed) - 1;
    // An empty deque needs no fence: only this thread could fill it.
    if (top_.load(std::memory_order_relaxed) > bottom) return nullptr;
    ring* const source = ring_.load(std::memory_order_relaxed);
    bottom_.store(bottom, std::memory_order_relaxed);
    // seq_cst: the claim of the last slot and a thief's claim see each other;
    // pairs with the fence in steal().
    std::atomic_thread_fence(std::memory_order_seq_cst);
    std::int64_t top = top_.load(std::memory_order_relaxed);
    task* taken = nullptr;
    if (top <= bottom) {
      taken = source->get(bottom);
      if (top < bottom) return taken;
      // The last one: a thief may be taking it from the other end (I2).
      if (!top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
        taken = nullptr;
      }
    }
    bottom_.store(bottom + 1, std::memory_order_relaxed);
    return taken;
  }

  task* steal() noexcept {
    std::int64_t top = top_.load(std::memory_order_acquire);
    // seq_cst: pairs with the fence in pop().
    std::atomic_thread_fence(std::memory_order_seq_cst);
    // acquire: pairs with the release in push().
    if (top >= bottom_.load(std::memory_order_acquire)) return nullptr;
    // acquire: pairs with the release in try_grow(), which fills the ring.
    task* const taken = ring_.load(std::memory_order_acquire)->get(top);
    return top_.compare_exchange_strong(top, top + 1, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)
               ? taken
               : nullptr;
  }

  /// By the owner, now and then: gives the memory of grown rings to the kernel
  /// if nothing was pushed since the last call. What is in no slot may read as
  /// null then: who steals it finds that somebody else has.
  void trim() noexcept {
    const std::int64_t bottom = bottom_.load(std::memory_order_relaxed);
    const bool rests = bottom == looked_at_ && empty();
    looked_at_ = bottom;
    const bool grown = rings_.size() > 1;
    if (grown && rests && holds_many()) {
      for (const ring& each : rings_) each.empty();
    }
    holds_many_.store(grown && !rests, std::memory_order_relaxed);
  }
  /// Whether trim() may give anything back; from any thread.
  bool holds_many() const noexcept {
    return holds_many_.load(std::memory_order_relaxed);
  }

  bool empty() const noexcept { return size() <= 0; }
  /// About how many; from any thread, and at times less than none.
  std::int64_t size() const noexcept {
    const std::int64_t top = top_.load(std::memory_order_relaxed);
    return bottom_.load(std::memory_order_relaxed) - top;
  }

 private:
  struct ring {
    explicit ring(std::int64_t size)
        : capacity(size), slots(static_cast<std::size_t>(size)) {}

    // Relaxed: bottom_ and top_ order the slots' contents.
    task* get(std::int64_t at) const noexcept {
      return slots[index(at)].load(std::memory_order_relaxed);
    }
    void put(std::int64_t at, task* value) noexcept {
      slots[index(at)].store(value, std::memory_order_relaxed);
    }
    std::size_t index(std::int64_t at) const noexcept {
      return static_cast<std::size_t>(at & (capacity - 1));
    }

    // The whole pages among its slots.
    void empty() const noexcept {
      constexpr std::uintptr_t page = 4096;
      const auto from =
          (reinterpret_cast<std::uintptr_t>(slots.begin()) + page - 1) / page;
      const auto to = reinterpret_cast<std::uintptr_t>(slots.end()) / page;
      if (from >= to) return;
      madvise(reinterpret_cast<void*>(from * page), (to - from) * page,
              MADV_DONTNEED);
    }

    const std::int64_t capacity;  // A power of two.
    const owned_array<std::atomic<task*>> slots;
  };
  static constexpr std::int64_t first_capacity = 256;

  ring* grow(const ring* old, std::int64_t top, std::int64_t bottom) {
    const std::int64_t size =
        old == nullptr ? first_capacity : old->capacity * 2;
    ring* const made = &rings_.push_back(make_owned<ring>(size));
    for (std::int64_t at = top; at < bottom; ++at) made->put(at, old->get(at));
    return made;
  }

  // Thieves write top all the time: looked at only when there is no room, as
  // far as was known.
  HOTPLATE_NOINLINE ring* make_room(ring* full, std::int64_t bottom) noexcept {
    // acquire: pairs with the thief's release of top, whose slot is reused.
    top_seen_ = top_.load(std::memory_order_acquire);
    if (bottom - top_seen_ < full->capacity) return full;
    return try_grow(full, top_seen_, bottom);
  }

  HOTPLATE_NOINLINE ring* try_grow(const ring* old, std::int64_t top,
                                   std::int64_t bottom) noexcept try {
    ring* const made = grow(old, top, bottom);
    ring_.store(made, std::memory_order_release);
    holds_many_.store(true, std::memory_order_relaxed);
    return made;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  // Thieves and owner write top_; the owner alone writes the others.
  alignas(cache_line) std::atomic<std::int64_t> top_ = 0;
  alignas(cache_line) std::atomic<std::int64_t> bottom_ = 0;
  owned_list<ring> rings_;
  std::atomic<ring*> ring_;
  std::int64_t top_seen_ = 0;   // Of the owner: top was here, or is beyond.
  std::int64_t looked_at_ = 0;  // Where the bottom was.
  std::atomic<bool> holds_many_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
