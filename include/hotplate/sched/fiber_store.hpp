#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/sched/fiber_source.hpp"
#include "hotplate/sched/mailbox.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The fibers of one worker: made when needed, reused by stack class, the one
/// used last first, and given back when nobody has needed them for a while. One
/// that has moved here is this store's from then on, and an idle one goes back
/// for it: else the stacks of a worker where fibers start and never end would
/// become ever more.
/// Thread safety: its worker only, but for what another store does in adopt().
class fiber_store {
 public:
  fiber_store(fiber_source& source, worker& home, fiber::entry start) noexcept
      : source_(source), home_(home), ground_(start) {}
  fiber_store(const fiber_store&) = delete;
  fiber_store& operator=(const fiber_store&) = delete;

  /// Null when memory is out; of class 0, always.
  fiber* take(std::uint8_t stack_class) noexcept {
    fiber*& idle = idle_[stack_class];
    if (idle == nullptr) [[unlikely]]
      return find(stack_class);
    return std::exchange(idle, idle->next);
  }

  // While it still runs on that stack: only its worker takes it again, and not
  // before it has left it.
  void put(fiber& idle) noexcept {
    fiber*& head = idle_[idle.stack_class()];
    idle.next = std::exchange(head, &idle);
  }

  /// A suspended fiber of another store comes here.
  void adopt(fiber& come, fiber_store& from) noexcept {
    come.settle_at(home_);
    take_returned();
    if (fiber* const back = pop_idle(come.stack_class())) {
      back->settle_at(from.home_);
      from.returned_.push(*back);
      return;
    }
    count_.fetch_add(1, std::memory_order_relaxed);
    from.count_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Gives back what has been idle since before the last call of this that
  /// returned true, but for a few of each class; some at a time: false if that
  /// is not all. On the root.
  bool trim() noexcept {
    take_returned();
    for (std::size_t given = 0; fiber* const first = pop_resting();) {
      give_back(*first);
      if (++given == at_once) return false;
    }
    for (std::size_t each = 0; each < idle_here; ++each) {
      resting_[each] = beyond_kept(idle_[each]);
    }
    return true;
  }
  /// Before its thread ends.
  void give_all_back() noexcept {
    take_returned();
    for (std::size_t each = 0; each < idle_here; ++each) {
      while (fiber* const first = pop(idle_[each])) give_back(*first);
    }
    while (fiber* const first = pop_resting()) give_back(*first);
  }
  /// Whether there may be some to trim; from any thread.
  bool holds_many() const noexcept {
    return count_.load(std::memory_order_relaxed) > most_kept;
  }

  bool all_idle() noexcept {
    const std::size_t count = count_.load(std::memory_order_relaxed);
    if (count == 0) return true;
    take_returned();
    std::size_t idle = 0;
    for (const fiber* each : idle_) {
      for (; each != nullptr; each = each->next) ++idle;
    }
    for (const fiber* each : resting_) {
      for (; each != nullptr; each = each->next) ++idle;
    }
    return idle == count;
  }

 private:
  HOTPLATE_NOINLINE fiber* find(std::uint8_t stack_class) noexcept {
    take_returned();
    fiber* const idle = pop_idle(stack_class);
    return idle != nullptr ? idle : make(stack_class);
  }

  fiber* pop_idle(std::uint8_t stack_class) noexcept {
    fiber* const idle = pop(idle_[stack_class]);
    if (idle != nullptr || stack_class >= resting_.size()) return idle;
    return pop(resting_[stack_class]);
  }

  static fiber* pop(fiber*& list) noexcept {
    return list == nullptr ? nullptr : std::exchange(list, list->next);
  }

  // Those of functions that are measured stay: what was touched of them is the
  // measurement.
  static constexpr std::size_t idle_here = stack_pool::common_classes;
  static constexpr std::size_t most_kept = 16;  // Of each class.
  static constexpr std::size_t at_once = 256;   // Some 50 us.

  fiber* pop_resting() noexcept {
    for (fiber*& each : resting_) {
      if (each != nullptr) return pop(each);
    }
    return nullptr;
  }

  static fiber* beyond_kept(fiber* last_used) noexcept {
    for (std::size_t i = 1; i < most_kept && last_used != nullptr; ++i) {
      last_used = last_used->next;
    }
    return last_used == nullptr ? nullptr
                                : std::exchange(last_used->next, nullptr);
  }

  void give_back(fiber& unused) noexcept {
    count_.fetch_sub(1, std::memory_order_relaxed);
    source_.give_back(unused);
  }

  void take_returned() noexcept {
    fiber_queue returned;
    returned_.take(returned);
    while (fiber* const back = returned.pop()) put(*back);
  }

  fiber* make(std::uint8_t stack_class) noexcept {
    if (stack_class == no_stack) return nullptr;
    fiber* const made = source_.make(stack_class, home_, ground_);
    if (made == nullptr) return nullptr;
    count_.fetch_add(1, std::memory_order_relaxed);
    return made;
  }

  fiber_source& source_;
  worker& home_;
  const fiber::ground ground_;
  // By stack class, last used first.
  std::array<fiber*, stack_pool::classes> idle_{};
  // Of these, those that were not used since the last look.
  std::array<fiber*, idle_here> resting_{};
  mailbox returned_;  // Idle ones, by the stores that adopted others.
  // Those that are this store's. Stores that adopt count down, too; who waits
  // for all to be idle is woken after that.
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
