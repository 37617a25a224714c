#pragma once

#include <array>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

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
    for (fiber* const made : made_) made->~fiber();
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
    if (made_.empty()) return true;
    std::size_t idle = 0;
    for (const fiber* each : idle_) {
      for (; each != nullptr; each = each->next) ++idle;
    }
    return idle == made_.size();
  }

 private:
  HOTPLATE_NOINLINE fiber* make(std::uint8_t stack_class) noexcept try {
    if (stack_class == 0) return nullptr;  // Not to run on a fiber.
    if (made_.size() == made_.capacity()) made_.reserve(made_.size() * 2 + 16);
    const stack_memory stack = stacks_.make(stack_class);
    if (stack.size == 0) return nullptr;
    constexpr std::size_t reserved =
        (sizeof(fiber) + cache_line - 1) / cache_line * cache_line;
    std::byte* const top = stack.bottom + stack.size - reserved;
    auto* const made = new (top) fiber(stack, stack_class, start_);
    made->home = &home_;
    made_.push_back(made);
    return made;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  stack_pool& stacks_;
  worker& home_;
  const fiber::entry start_;
  // By stack class, last used first.
  std::array<fiber*, stack_pool::classes> idle_{};
  std::vector<fiber*> made_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
