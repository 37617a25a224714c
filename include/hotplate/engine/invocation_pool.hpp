#pragma once

#include <atomic>
#include <new>
#include <utility>

#include "hotplate/base/owned.hpp"
#include "hotplate/base/unseen.hpp"
#include "hotplate/engine/invocation.hpp"
#include "hotplate/engine/record_slabs.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Records of invocations, recycled: a cache per worker, which only its worker
/// touches, and one for all other threads. What is not taken from there from
/// one look to the next goes back to the kernel, by slabs of which no record is
/// in use: see record_slabs for what remains of it.
/// Thread safety: all members may be called from any thread, look() and trim()
/// by one at a time.
class invocation_pool {
 public:
  invocation_pool(core& owner, const resident_code& code, std::size_t workers)
      : owner_(owner), code_(code), caches_(workers) {}
  invocation_pool(const invocation_pool&) = delete;
  invocation_pool& operator=(const invocation_pool&) = delete;

  /// Where the timers of its records are armed; before the first is taken.
  void use(timer_queue& timers) noexcept { timers_ = &timers; }

  /// Null when memory is out. `here` is the calling thread's worker, or null.
  invocation* take(worker* here) noexcept {
    if (here == nullptr) return take_shared();
    cache& own = caches_[here->index()];
    if (invocation* const idle = own.pop()) [[likely]]
      return idle;
    borrow(own);
    return own.pop();
  }

  void give(invocation& done, worker* here) noexcept {
    poison(done.space.data(), invocation::room);
    if (here == nullptr) {
      const lock_guard hold(lock_);
      shared_.push(done);
      return;
    }
    cache& own = caches_[here->index()];
    own.push(done);
    if (own.size > most_cached) lend(own);
  }

  /// Calls `see(record)` for every record, whatever its state. Takes no lock.
  template <typename See>
  void for_each(const See& see) {
    slabs_.for_each(see);
  }

  /// From now on, records that lie idle now, outside the workers' caches, and
  /// are not taken before the next look are to be trimmed then, but for a few.
  void look() noexcept {
    const lock_guard hold(lock_);
    if (sorting_.first != nullptr || sorted_ > 0) return;  // Still at it.
    sorting_ = std::exchange(resting_, std::exchange(shared_, {}));
  }
  /// Whether there are many more than `workers` keep at hand: those may be of
  /// as many slabs.
  bool holds_many(std::size_t workers) const noexcept {
    return slabs_.filled() > slabs_kept + 4 * workers;
  }
  /// A worker's cache, which it then fills anew; by that worker.
  void give_cache(const worker& here) noexcept {
    cache& own = caches_[here.index()];
    if (own.first == nullptr) return;
    const lock_guard hold(lock_);
    move(own, shared_, own.size);
  }
  /// Gives some of that to the kernel. False if there is nothing left to give.
  bool trim() noexcept {
    if (sorting_.first != nullptr) {
      sort_some();
      return true;
    }
    if (sorted_ == 0) return false;
    trim_slab(--sorted_);
    return true;
  }

 private:
  struct alignas(cache_line) cache {
    invocation* first = nullptr;
    std::size_t size = 0;

    void push(invocation& idle) noexcept {
      idle.next_free = std::exchange(first, &idle);
      ++size;
    }
    invocation* pop() noexcept {
      invocation* const idle = first;
      if (idle == nullptr) return nullptr;
      first = idle->next_free;
      --size;
      return idle;
    }
  };
  static constexpr std::size_t timers_each =
      record_slabs::per_slab * 2;               // Of a slab.
  static constexpr std::size_t slabs_kept = 2;  // A trickle causes no faults.
  static constexpr std::size_t most_cached = 256;
  static constexpr std::size_t batch = 64;

  HOTPLATE_NOINLINE invocation* take_shared() noexcept {
    const lock_guard hold(lock_);
    if (invocation* const idle = shared_.pop()) return idle;
    return stock_up() ? shared_.pop() : nullptr;
  }

  // Under the lock.
  bool stock_up() noexcept {
    if (resting_.first == nullptr) return refill_(*this);
    std::swap(shared_, resting_);
    return true;
  }

  static bool refill(invocation_pool& self) noexcept {
    // A handler that could not be woken would be suspended for ever.
    if (!self.timers_->expect(timers_each)) return false;
    invocation* const first = self.slabs_.fill(
        [&self](std::byte* where, std::uint32_t slot) noexcept {
          // Who looks late reads zeros, or a record that has ended.
          [[maybe_unused]] const unseen here;
          new (where)
              invocation(self.owner_, self.code_, slot, self.generation_);
        });
    if (first == nullptr) {
      self.timers_->forgo(timers_each);
      return false;
    }
    for (std::size_t i = record_slabs::per_slab; i > 0; --i) {
      self.shared_.push(first[i - 1]);
    }
    return true;
  }

  void sort_some() noexcept {
    constexpr int at_once = 256;
    for (int i = 0; i < at_once && sorting_.first != nullptr; ++i) {
      slabs_.sort(*sorting_.pop());
    }
    if (sorting_.first != nullptr) return;
    const lock_guard hold(lock_);
    sorted_ = slabs_.count();
  }

  // From the last to the first: records of slabs of which some are in use come
  // to be taken in that order, so that the last slabs fall idle.
  void trim_slab(std::size_t at) noexcept {
    record_slabs::slab& sorted = slabs_[at];
    if (sorted.idle == nullptr) return;
    const bool emptied = at >= slabs_kept && record_slabs::is_idle(sorted);
    const std::uint64_t last = emptied ? slabs_.empty(at) : 0;
    const lock_guard hold(lock_);
    if (emptied) {
      if (last > generation_) generation_ = last;
      slabs_.reuse(at);
      timers_->forgo(timers_each);
      return;
    }
    // With those that have rested since: what is idle of a slab must meet.
    while (sorted.idle != nullptr) {
      resting_.push(*std::exchange(sorted.idle, sorted.idle->next_free));
    }
    sorted.idle_count = 0;
  }

  HOTPLATE_NOINLINE void borrow(cache& own) noexcept {
    const lock_guard hold(lock_);
    if (shared_.first == nullptr && !stock_up()) return;
    move(shared_, own, batch);
  }

  HOTPLATE_NOINLINE void lend(cache& own) noexcept {
    const lock_guard hold(lock_);
    move(own, shared_, most_cached / 2);
  }

  static void move(cache& from, cache& to, std::size_t most) noexcept {
    for (std::size_t i = 0; i < most && from.first != nullptr; ++i) {
      to.push(*from.pop());
    }
  }

  core& owner_;
  const resident_code& code_;
  bool (*const refill_)(invocation_pool& self) noexcept = &refill;
  timer_queue* timers_ = nullptr;
  owned_array<cache> caches_;
  lock lock_;  // Guards what follows, but for who trims.
  cache shared_;
  cache resting_;  // Not needed since the last look.
  record_slabs slabs_;
  // Of any record whose slab was emptied, the last: those made again go on from
  // it, so that a late look never takes one for what it was.
  std::uint64_t generation_ = invocation::first_generation;
  // Of who trims.
  cache sorting_;           // Not needed for long.
  std::size_t sorted_ = 0;  // Slabs that are not trimmed yet.
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
