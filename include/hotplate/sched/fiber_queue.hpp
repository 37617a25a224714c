#pragma once

#include "hotplate/sched/fiber.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Fibers in the order in which they became ready.
class fiber_queue {
 public:
  void push(fiber& ready) noexcept {
    ready.next = nullptr;
    *(first_ == nullptr ? &first_ : &last_->next) = &ready;
    last_ = &ready;
  }
  fiber* pop() noexcept {
    fiber* const ready = first_;
    if (ready != nullptr) first_ = ready->next;
    return ready;
  }
  bool empty() const noexcept { return first_ == nullptr; }

 private:
  fiber* first_ = nullptr;
  fiber* last_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
