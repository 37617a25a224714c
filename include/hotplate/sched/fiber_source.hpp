#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/unseen.hpp"
#include "hotplate/sched/fiber.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Makes the fibers of all workers of an engine, and ends them: those that are
/// given back, or else with itself.
/// Thread safety: all members may be called from any thread.
/// I1: a fiber on a stack that was given back numbers its waits from beyond all
///     of that one's: who comes late to wake that one finds the number gone.
class fiber_source {
 public:
  /// Handlers start in the calling thread's floating-point modes.
  explicit fiber_source(stack_pool& stacks) noexcept : stacks_(stacks) {}
  fiber_source(const fiber_source&) = delete;
  fiber_source& operator=(const fiber_source&) = delete;
  ~fiber_source() {
    while (made_ != nullptr) std::exchange(made_, made_->next_made)->~fiber();
  }

  float_modes modes() const noexcept { return modes_; }

  /// Null when memory is out.
  fiber* make(std::uint8_t stack_class, worker& home,
              const fiber::ground& on) noexcept {
    const stack_memory stack = stacks_.make(stack_class);
    if (stack.size == 0) return nullptr;
    constexpr std::size_t reserved =
        (sizeof(fiber) + cache_line - 1) / cache_line * cache_line;
    std::byte* const top = stack.bottom + stack.size - reserved;
    const lock_guard hold(lock_);
    // Who looks late reads zeros, or what this writes.
    [[maybe_unused]] const unseen here;
    fiber::ground with = on;
    with.modes = modes_;
    auto* const made = new (top) fiber(stack, stack_class, with, last_wait_);
    made->settle_at(home);
    if (made_ != nullptr) made_->made_after = made;
    made->next_made = std::exchange(made_, made);
    return made;
  }

  /// One that is idle, and has been left.
  void give_back(fiber& unused) noexcept {
    const stack_memory stack = unused.stack();
    {
      const lock_guard hold(lock_);
      strike_off(unused);
      // Not open; the later one, although they start again after 2^32.
      const std::uint32_t last = unused.last_wait() & ~std::uint32_t{1};
      if (last - last_wait_ < std::uint32_t{1} << 31) last_wait_ = last;
      unused.~fiber();
    }
    stacks_.give_back(stack);
  }

 private:
  void strike_off(fiber& gone) noexcept {
    fiber* const older = gone.next_made;
    fiber* const newer = gone.made_after;
    *(newer == nullptr ? &made_ : &newer->next_made) = older;
    if (older != nullptr) older->made_after = newer;
  }

  stack_pool& stacks_;
  const float_modes modes_ = modes_here();
  lock lock_;              // Guards what follows.
  fiber* made_ = nullptr;  // The last one first.
  std::uint32_t last_wait_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
