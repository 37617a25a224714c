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

inline void instance_pool::fill(worker& on) noexcept {
  while (reserve_ahead()) {
    if (make_ahead(on)) {
      const lock_guard hold(lock_);
      pause_ = first_pause;
    }
  }
}

// An init that fails, takes too long or lacks memory is tried again, ever
// later.
inline void instance_pool::pause() noexcept {
  std::int64_t until = 0;
  {
    const lock_guard hold(lock_);
    until = not_before_ = clock_.now() + pause_;
    pause_ = std::min(2 * pause_, longest_pause);
  }
  threads_.arm(refill_, until, timer_order::keep_alive);
}

inline bool instance_pool::make_ahead(worker& on) noexcept try {
  if (!budget_.try_claim(memory()) && !make_room(on)) {
    pause();
    return false;
  }
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
  {
    const lock_guard hold(lock_);
    made->in_use = 0;
  }
  put_idle(*made);
  return true;
} catch (...) {
  pause();
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
