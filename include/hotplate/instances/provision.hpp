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
  std::int64_t ending_there = 0;
  return add_live(ending_there);
}

inline void instance_pool::fill(worker& on) noexcept {
  while (reserve_ahead()) {
    if (make_ahead(on)) {
      const lock_guard hold(lock_);
      pause_ = first_pause;
    }
  }
}

inline instance* instance_pool::take_any(std::int64_t now,
                                         start_kind& how) noexcept {
  const lock_guard hold(lock_);
  instance* const found = idle_.take(now);
  if (found != nullptr) how = start_of_use(*found);
  return found;
}

// Under the lock.
inline start_kind instance_pool::start_of_use(instance& taken) noexcept {
  const start_kind how = taken.start.load(std::memory_order_relaxed);
  if (how == start_kind::provisioned) {
    taken.start.store(start_kind::provisioned_warm, std::memory_order_relaxed);
  }
  return how;
}

// Under the lock, so the next two. Which of the instances are the provisioned
// ones: whoever is first, but those that were made ahead before others.
inline void instance_pool::count_in(instance& made) noexcept {
  instance* other = all_.first();
  if (counted_ < config_.provisioned) {
    ++counted_;
  } else {
    if (config_.provisioned == 0 || !made.made_ahead) return;
    while (other != nullptr && (!other->counts || other->made_ahead)) {
      other = other->next;
    }
    if (other == nullptr) return;
    count_out(*other);
  }
  made.counts = true;
  made.start.store(
      made.made_ahead ? start_kind::provisioned : start_kind::provisioned_warm,
      std::memory_order_relaxed);
}

inline void instance_pool::count_out(instance& other) noexcept {
  other.counts = false;
  other.start.store(start_kind::warm, std::memory_order_relaxed);
}

// Another takes its place, if one is left that does not count yet.
inline void instance_pool::strike_off(instance& gone) noexcept {
  all_.remove(gone);
  if (!gone.counts) return;
  instance* heir = all_.first();
  while (heir != nullptr && heir->counts) heir = heir->next;
  if (heir == nullptr) {
    --counted_;
    return;
  }
  heir->counts = true;
  heir->start.store(start_kind::provisioned_warm, std::memory_order_relaxed);
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
  instance_ends::moment seen;
  if (!budget_.try_claim(memory()) && !make_room(on, seen)) {
    pause();
    return false;
  }
  const std::int64_t from = clock_.now();
  instance* const made = make(nullptr, true);
  const std::int64_t now = made->made_at;
  if (now - from > longest_init) {
    pause();
    retire(doom(*made, retire_reason::failed));
    return false;
  }
  made->idle_since = now;
  {
    const lock_guard hold(lock_);
    made->in_use = 0;
  }
  retire(put_idle(*made));
  return true;
} catch (...) {
  pause();
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
