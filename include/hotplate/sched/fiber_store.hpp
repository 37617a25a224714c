#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/sched/fiber.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The fibers of one worker: made when needed, reused by stack class, the one
/// used last first, and ended with the store.
/// Thread safety: none.
class fiber_store {
 public:
  fiber_store(stack_pool& stacks, worker& home, fiber::entry start) noexcept
      : stacks_(stacks), home_(home), start_(start) {}
  fiber_store(const fiber_store&) = delete;
  fiber_store& operator=(const fiber_store&) = delete;
  ~fiber_store() {
    while (made_ != nullptr) std::exchange(made_, made_->next_made)->~fiber();
  }

  /// Null when memory is out; of class 0, always.
  fiber* take(std::uint8_t stack_class) noexcept {
    fiber*& idle = idle_[stack_class];
    if (idle == nullptr) [[unlikely]]
      return make(stack_class);
    return std::exchange(idle, idle->next);
  }

  // While it still runs on that stack: only its worker takes it again, and not
  // before it has left it.
  void put(fiber& idle) noexcept {
    fiber*& head = idle_[idle.stack_class()];
    idle.next = std::exchange(head, &idle);
  }

  bool all_idle() const noexcept {
    if (made_ == nullptr) return true;
    std::size_t idle = 0;
    for (const fiber* each : idle_) {
      for (; each != nullptr; each = each->next) ++idle;
    }
    return idle == count_;
  }

 private:
  HOTPLATE_NOINLINE fiber* make(std::uint8_t stack_class) noexcept {
    if (stack_class == 0) return nullptr;  // Not to run on a fiber.
    const stack_memory stack = stacks_.make(stack_class);
    if (stack.size == 0) return nullptr;
    constexpr std::size_t reserved =
        (sizeof(fiber) + cache_line - 1) / cache_line * cache_line;
    std::byte* const top = stack.bottom + stack.size - reserved;
    auto* const made = new (top) fiber(stack, stack_class, start_);
    made->home = &home_;
    made->next_made = std::exchange(made_, made);
    ++count_;
    return made;
  }

  stack_pool& stacks_;
  worker& home_;
  const fiber::entry start_;
  // By stack class, last used first.
  std::array<fiber*, stack_pool::classes> idle_{};
  fiber* made_ = nullptr;  // All of them, the last one first.
  std::size_t count_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
