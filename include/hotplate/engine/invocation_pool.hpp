#pragma once

#include <atomic>
#include <new>
#include <utility>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/invocation.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Records of invocations, recycled: a cache per worker, which only its worker
/// touches, and one for all other threads. Their memory stays mapped until the
/// pool ends.
class invocation_pool {
 public:
  invocation_pool(core& owner, const resident_code& code, std::size_t workers)
      : owner_(owner), code_(code), caches_(workers) {}
  invocation_pool(const invocation_pool&) = delete;
  invocation_pool& operator=(const invocation_pool&) = delete;
  ~invocation_pool() {
    invocation* each = records_.load(std::memory_order_relaxed);
    while (each != nullptr) delete std::exchange(each, each->next_made);
  }

  /// Where the timers of its records are armed; before the first is taken.
  void use(timer_queue& timers) noexcept { timers_ = &timers; }

  /// Null when memory is out. `here` is the calling thread's worker, or null.
  invocation* take(worker* here) noexcept {
    if (here == nullptr) {
      const lock_guard hold(lock_);
      if (invocation* const idle = shared_.pop()) return idle;
      return refill_(*this) ? shared_.pop() : nullptr;
    }
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
    // acquire: pairs with the release in refill(); records stay.
    invocation* each = records_.load(std::memory_order_acquire);
    for (; each != nullptr; each = each->next_made) {
      see(*each);
    }
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
  static constexpr int made_at_once = 32;
  static constexpr int timers_each = 2;
  static constexpr std::size_t most_cached = 256;
  static constexpr std::size_t batch = 64;

  // Under the lock.
  static bool refill(invocation_pool& self) noexcept {
    // A handler that could not be woken would be suspended for ever.
    if (!self.timers_->expect(made_at_once * timers_each)) return false;
    for (int i = 0; i < made_at_once; ++i) {
      auto* const made = new (std::nothrow)
          invocation(self.owner_, self.code_, self.made_ + 1);
      if (made == nullptr) break;
      ++self.made_;
      made->next_made = self.records_.load(std::memory_order_relaxed);
      self.records_.store(made, std::memory_order_release);
      self.shared_.push(*made);
    }
    return self.shared_.first != nullptr;
  }

  HOTPLATE_NOINLINE void borrow(cache& own) noexcept {
    const lock_guard hold(lock_);
    if (shared_.first == nullptr && !refill_(*this)) return;
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
  lock lock_;  // Guards the rest.
  cache shared_;
  std::atomic<invocation*> records_ = nullptr;  // All that were made.
  std::uint32_t made_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
