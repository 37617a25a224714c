#pragma once

#include "hotplate/instances/instance_pool.hpp"

// Instances made ahead, one after another, on a fiber of the pool.

namespace hotplate::inline HOTPLATE_ABI::detail {

// Under the lock.
inline bool instance_pool::lacks_any() const noexcept {
  return !closed_ && live_ < config_.provisioned;
}

inline bool instance_pool::reserve_ahead() noexcept {
  const lock_guard hold(lock_);
  if (!lacks_any() || clock_.now() < not_before_) return false;
  return add_live();
}

inline void instance_pool::fill() noexcept {
  while (reserve_ahead()) {
    if (make_ahead()) {
      const lock_guard hold(lock_);
      pause_ = first_pause;
    }
  }
}

// An init that fails or takes too long is tried again, ever later.
inline void instance_pool::pause() noexcept {
  std::int64_t until = 0;
  {
    const lock_guard hold(lock_);
    until = not_before_ = clock_.now() + pause_;
    pause_ = std::min(2 * pause_, longest_pause);
  }
  threads_.arm(refill_, until, timer_order::keep_alive);
}

inline bool instance_pool::make_ahead() noexcept try {
  const std::int64_t from = clock_.now();
  instance* const made = make();
  const std::int64_t now = clock_.now();
  if (now - from > longest_init) {
    pause();
    retire(*made, retire_reason::failed);
    return false;
  }
  made->start = start_kind::provisioned;
  made->idle_since = now;
  put_aside(made);
  return true;
} catch (...) {
  pause();
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
