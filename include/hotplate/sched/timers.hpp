#pragma once

#include <algorithm>
#include <cstdint>
#include <new>
#include <vector>

#include "hotplate/base/futex.hpp"
#include "hotplate/base/lock.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// At equal times, what comes first (arrivals, made by the host, come between
/// the first two).
enum class timer_order : std::uint8_t { completion, deadline, keep_alive };

/// A moment at which something is to be called. The owner keeps it in memory
/// that stays valid for as long as its timer_queue.
struct timer {
  void (*fire)(void* target, std::uint64_t token,
               std::int64_t now) noexcept = nullptr;
  void* target = nullptr;
  std::uint64_t token = 0;  ///< Tells `target` a late call from a due one.

  std::int64_t when = 0;
  std::uint64_t number = 0;  ///< Armed earlier, fires earlier.
  timer_order order = timer_order::completion;
  std::uint32_t place = unarmed;

  static constexpr std::uint32_t unarmed = ~std::uint32_t{0};
};

/// Timers by time, order and number: a heap of four children a node, so that
/// virtual time visits them in exactly that order, which a wheel of slots could
/// not. Arming a time later than most, and disarming it, is what deadlines do:
/// both then touch one or two levels.
/// Thread safety: all members may be called from any thread. What fires runs
/// without the lock, and may therefore come after disarm(): see timer::token.
class timer_queue {
 public:
  /// Room for that many timers more: as long as no more are armed at once than
  /// room was made for, arm() does not fail. False when memory is out.
  bool expect(std::size_t more) noexcept {
    const lock_guard hold(lock_);
    if (!make_room(expected_ + more)) return false;
    expected_ += more;
    return true;
  }

  /// The opposite: as many fewer.
  void forgo(std::size_t fewer) noexcept {
    const lock_guard hold(lock_);
    expected_ -= fewer;
    const std::size_t needed = std::max(expected_, heap_.size());
    if (heap_.capacity() / 8 <= needed + 16) return;
    try {
      std::vector<timer*> smaller;
      smaller.reserve(needed * 2 + 16);
      smaller.insert(smaller.end(), heap_.begin(), heap_.end());
      heap_.swap(smaller);
    } catch (const std::bad_alloc&) {  // It stays as it is.
    }
  }

  /// False when memory is out.
  bool arm(timer& armed, std::int64_t when, timer_order order) noexcept {
    const lock_guard hold(lock_);
    if (armed.place != timer::unarmed) remove(armed.place);
    if (!make_room(heap_.size() + 1)) return false;
    armed.when = when;
    armed.order = order;
    armed.number = ++count_;
    heap_.push_back(&armed);
    rise(heap_.size() - 1);
    publish_next();
    return true;
  }

  void disarm(timer& armed) noexcept {
    const lock_guard hold(lock_);
    if (armed.place == timer::unarmed) return;
    remove(armed.place);
    publish_next();
  }

  /// When the earliest is due; `forever` if none is armed. Without the lock.
  std::int64_t next() const noexcept {
    return next_.load(std::memory_order_relaxed);
  }

  /// Fires the earliest if it is due before `now`, or at it and of an order up
  /// to `last`. False if there is none.
  bool fire_one(std::int64_t now,
                timer_order last = timer_order::keep_alive) noexcept {
    if (next() > now) return false;
    timer due;
    {
      const lock_guard hold(lock_);
      if (heap_.empty()) return false;
      timer* const first = heap_.front();
      if (first->when > now) return false;
      if (first->when == now && first->order > last) return false;
      due = *first;
      remove(0);
      publish_next();
    }
    due.fire(due.target, due.token, now);
    return true;
  }

 private:
  static constexpr std::size_t children = 4;

  static bool before(const timer& a, const timer& b) noexcept {
    if (a.when != b.when) return a.when < b.when;
    if (a.order != b.order) return a.order < b.order;
    return a.number < b.number;
  }

  bool make_room(std::size_t count) noexcept try {
    if (count > heap_.capacity()) heap_.reserve(count * 2 + 16);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  void publish_next() noexcept {
    next_.store(heap_.empty() ? forever : heap_.front()->when,
                std::memory_order_relaxed);
  }

  void remove(std::size_t at) noexcept {
    heap_[at]->place = timer::unarmed;
    timer* const last = heap_.back();
    heap_.pop_back();
    if (at == heap_.size()) return;
    set(at, last);
    rise(at);
    sink(last->place);
  }

  void rise(std::size_t at) noexcept {
    timer* const moved = heap_[at];
    while (at > 0) {
      const std::size_t parent = (at - 1) / children;
      if (!before(*moved, *heap_[parent])) break;
      set(at, heap_[parent]);
      at = parent;
    }
    set(at, moved);
  }

  void sink(std::size_t at) noexcept {
    timer* const moved = heap_[at];
    for (;;) {
      const std::size_t first = at * children + 1;
      if (first >= heap_.size()) break;
      std::size_t least = first;
      for (std::size_t c = first + 1; c < first + children; ++c) {
        if (c < heap_.size() && before(*heap_[c], *heap_[least])) least = c;
      }
      if (!before(*heap_[least], *moved)) break;
      set(at, heap_[least]);
      at = least;
    }
    set(at, moved);
  }

  void set(std::size_t at, timer* placed) noexcept {
    heap_[at] = placed;
    placed->place = static_cast<std::uint32_t>(at);
  }

  lock lock_;  // Guards all but next_.
  std::vector<timer*> heap_;
  std::size_t expected_ = 0;
  std::uint64_t count_ = 0;
  // Written under the lock; a reader may be late by one change, and looks again
  // within a tick of the watchdog.
  std::atomic<std::int64_t> next_ = forever;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
