#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/sched/mailbox.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The fibers of one worker: made when needed, reused by stack class, the one
/// used last first, and ended with the store. One that has moved here is
/// this store's from then on, and an idle one goes back for it: else the stacks
/// of a worker where fibers start and never end would become ever more.
/// Thread safety: its worker only, but for what another store does in adopt().
class fiber_store {
 public:
  fiber_store(stack_pool& stacks, worker& home, fiber::entry start) noexcept
      : stacks_(stacks), home_(home), ground_(start) {}
  fiber_store(const fiber_store&) = delete;
  fiber_store& operator=(const fiber_store&) = delete;
  ~fiber_store() {
    while (made_ != nullptr) std::exchange(made_, made_->next_made)->~fiber();
  }

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
    fiber*& idle = idle_[come.stack_class()];
    if (idle != nullptr) {
      fiber& back = *std::exchange(idle, idle->next);
      back.settle_at(from.home_);
      from.returned_.push(back);
      return;
    }
    count_.fetch_add(1, std::memory_order_relaxed);
    from.count_.fetch_sub(1, std::memory_order_relaxed);
  }

  bool all_idle() noexcept {
    const std::size_t count = count_.load(std::memory_order_relaxed);
    if (count == 0) return true;
    take_returned();
    std::size_t idle = 0;
    for (const fiber* each : idle_) {
      for (; each != nullptr; each = each->next) ++idle;
    }
    return idle == count;
  }

 private:
  HOTPLATE_NOINLINE fiber* find(std::uint8_t stack_class) noexcept {
    take_returned();
    fiber*& idle = idle_[stack_class];
    return idle == nullptr ? make(stack_class)
                           : std::exchange(idle, idle->next);
  }

  void take_returned() noexcept {
    fiber_queue returned;
    returned_.take(returned);
    while (fiber* const back = returned.pop()) put(*back);
  }

  fiber* make(std::uint8_t stack_class) noexcept {
    if (stack_class == no_stack) return nullptr;
    const stack_memory stack = stacks_.make(stack_class);
    if (stack.size == 0) return nullptr;
    constexpr std::size_t reserved =
        (sizeof(fiber) + cache_line - 1) / cache_line * cache_line;
    std::byte* const top = stack.bottom + stack.size - reserved;
    auto* const made = new (top) fiber(stack, stack_class, ground_);
    made->settle_at(home_);
    made->next_made = std::exchange(made_, made);
    count_.fetch_add(1, std::memory_order_relaxed);
    return made;
  }

  stack_pool& stacks_;
  worker& home_;
  const fiber::ground ground_;
  // By stack class, last used first.
  std::array<fiber*, stack_pool::classes> idle_{};
  fiber* made_ = nullptr;  // All that were made here, the last one first.
  mailbox returned_;       // Idle ones, by the stores that adopted others.
  // Those that are this store's. Stores that adopt count down, too; who waits
  // for all to be idle is woken after that.
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
