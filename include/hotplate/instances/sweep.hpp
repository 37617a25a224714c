#pragma once

#include "hotplate/instances/instance_pool.hpp"

// How idle instances go. The handler's code runs on fibers only, so a timer
// just queues the work.

namespace hotplate::inline HOTPLATE_ABI::detail {

// Under the lock: arms the timer for the oldest, if one may expire. False if
// there is no memory for that.
inline bool instance_pool::keep_calm() noexcept {
  calm_.store(true, std::memory_order_seq_cst);
  if (live_ <= floor_) return true;
  const std::int64_t oldest = idle_.oldest();
  if (oldest == forever) {
    calm_.store(false, std::memory_order_seq_cst);
    // One may just have come, and have seen the pool calm.
    if (idle_.oldest() == forever) return true;
    return keep_calm();
  }
  if (armed_) return true;
  armed_ = threads_.arm(expiry_, oldest + keep_alive_, timer_order::keep_alive);
  if (!armed_) calm_.store(false, std::memory_order_seq_cst);
  return armed_;
}

inline void instance_pool::queue_work(void* target, std::uint64_t,
                                      std::int64_t) noexcept {
  static_cast<instance_pool*>(target)->queue_work();
}

inline void instance_pool::queue_work() noexcept {
  if (!threads_.submit(*this)) try_again();
}

// Memory was out, for queueing it or for its stack.
inline void instance_pool::try_again() noexcept {
  threads_.arm(refill_, clock_.now() + first_pause, timer_order::keep_alive);
}

inline fiber* instance_pool::work(task& self, worker&) noexcept {
  auto& pool = static_cast<instance_pool&>(self);
  pool.sweep();
  pool.fill();
  return nullptr;
}

inline void instance_pool::sweep() noexcept {
  instance* gone = nullptr;
  instance* uncared_for = nullptr;
  retire_reason why = retire_reason::expired;
  bool closed = false;
  {
    const lock_guard hold(lock_);
    armed_ = false;
    closed = closed_;
    if (closed) why = closed_for_;
    gone = take_idle_since(closed ? forever : clock_.now() - keep_alive_);
    if (!closed && !keep_calm()) uncared_for = take_idle_since(forever);
  }
  if (closed) maker_.drop_snapshot();
  retire_list(gone, why);
  retire_list(uncared_for, why);
}

// Under the lock: a list, by `older`, of all that are idle since `latest` and
// need not stay. They count as ending.
inline instance* instance_pool::take_idle_since(std::int64_t latest) noexcept {
  const std::int64_t stay = closed_ ? 0 : floor_;
  const std::int64_t now = clock_.now();
  instance* first = nullptr;
  instance** last = &first;
  while (live_ > stay) {
    instance* const gone = idle_.take_since(latest, now);
    if (gone == nullptr) break;
    strike_off(*gone);
    --live_;
    ++ending_;
    *last = gone;
    last = &gone->older;
  }
  *last = nullptr;
  return first;
}

inline void instance_pool::retire_list(instance* gone,
                                       retire_reason why) noexcept {
  if (gone == nullptr) return;
  std::int64_t count = 0;
  for (; gone != nullptr; ++count) {
    maker_.end(*std::exchange(gone, gone->older), why);
  }
  bool lacking = false;
  {
    const lock_guard hold(lock_);
    ending_ -= count;
    lacking = lacks_any();
  }
  if (lacking) queue_work();
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
