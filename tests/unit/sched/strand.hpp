#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <utility>

#include "hotplate/sched/fiber.hpp"

/// A fiber without a worker, for tests: runs its body each time from where it
/// last paused.
class strand {
 public:
  explicit strand(std::function<void(strand&)> body) : body_(std::move(body)) {
    thread_.adopt_thread();
    const auto stack_class = hotplate::detail::stack_pool::class_of(64 * 1024);
    const auto stack = stacks_.make(stack_class);
    const std::size_t reserved = (sizeof(inner) + 63) / 64 * 64;
    fiber_ = new (stack.bottom + stack.size - reserved)
        inner(stack, stack_class, *this);
  }
  strand(const strand&) = delete;
  strand& operator=(const strand&) = delete;
  ~strand() { fiber_->~inner(); }

  /// Until the body pauses or ends.
  void go_on() { thread_.switch_to(*fiber_); }
  /// Called by the body.
  void pause(hotplate::detail::after_switch then = {}) {
    fiber_->switch_to(thread_, then);
  }

  bool ended() const noexcept { return ended_; }
  hotplate::detail::fiber& fiber() noexcept { return *fiber_; }

 private:
  struct inner : hotplate::detail::fiber {
    inner(const hotplate::detail::stack_memory& stack, std::uint8_t stack_class,
          strand& its_owner)
        : fiber(stack, stack_class, &run), owner(its_owner) {}
    strand& owner;
  };

  static void run(hotplate::detail::fiber& self) {
    strand& owner = static_cast<inner&>(self).owner;
    owner.body_(owner);
    owner.ended_ = true;
    for (;;) owner.pause();
  }

  std::function<void(strand&)> body_;
  hotplate::detail::stack_pool stacks_;
  hotplate::detail::fiber thread_;
  inner* fiber_ = nullptr;
  bool ended_ = false;
};
