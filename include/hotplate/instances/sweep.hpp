#pragma once

#include "hotplate/instances/instance_pool.hpp"

// How idle instances go. The handler's code runs on fibers only, so a timer
// just queues the work.

namespace hotplate::inline HOTPLATE_ABI::detail {

// Under the lock: arms the timer for the first that may expire, if one may;
// `back` has just come back. False if there is no memory for that.
inline bool instance_pool::keep_calm(const instance* back) noexcept {
  calm_.store(true, std::memory_order_seq_cst);
  if (!spares_any()) return true;
  rank();
  const std::int64_t next = next_expiry(back);
  if (next == forever) {
    stir();
    // One may just have come, and have seen the pool calm.
    if (idle_.oldest() == forever) return true;
    return keep_calm(back);
  }
  if (armed_ && next >= armed_for_) return true;
  armed_for_ = next;
  armed_ = threads_.arm(expiry_, next, timer_order::keep_alive);
  if (!armed_) stir();
  return armed_;
}

// Under the lock: when one expires, if nobody uses it until then.
inline std::int64_t instance_pool::next_expiry(
    const instance* back) const noexcept {
  if (has_policy()) {
    if (!armed_) return idle_.soonest();
    return back == nullptr ? armed_for_ : back->keep_until;
  }
  const std::int64_t oldest = idle_.oldest();
  return oldest == forever ? forever : oldest + keep_alive_;
}

inline time_point instance_pool::as_time(std::int64_t nanoseconds) noexcept {
  return time_point{std::chrono::nanoseconds{nanoseconds}};
}

inline void instance_pool::keep(instance& idle, std::chrono::nanoseconds time,
                                std::int64_t now) noexcept {
  constexpr std::chrono::nanoseconds longest = std::chrono::hours(365 * 24);
  const auto none = std::chrono::nanoseconds(0);
  idle.keep_until = now + std::clamp(time, none, longest).count();
}

inline void instance_pool::open() noexcept {
  bool lacking = false;
  {
    const lock_guard hold(lock_);
    closed_ = false;
    if (config_.provisioned > 0) reserved_.begin(clock_.now());
    rank();
    lacking = lacks_any();
  }
  maker_.want_snapshot();
  if (lacking) queue_work();
}

inline bool instance_pool::close(retire_reason why) noexcept {
  {
    const lock_guard hold(lock_);
    closed_ = true;
    closed_for_ = why;
    reserved_.end(clock_.now());
    stir();
  }
  threads_.timers().disarm(refill_);
  if (!maker_.ends_silently()) return threads_.submit(*this);
  threads_.timers().disarm(expiry_);
  sweep();
  return true;
}

inline instance_pool::~instance_pool() {
  threads_.timers().disarm(expiry_);
  threads_.timers().disarm(refill_);
  budget_.unrank(rank_);
  closed_ = true;
  closed_for_ = retire_reason::shutdown;
  retire(doomed_);
  retire(take_idle(forever));
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

inline fiber* instance_pool::work(task& self, worker& on) noexcept {
  auto& pool = static_cast<instance_pool&>(self);
  // Whom it was running before may be suspended, and is not to be taken for
  // whoever is at work here.
  on.set_running(nullptr);
  pool.sweep();
  pool.fill(on);
  return nullptr;
}

inline void instance_pool::sweep() noexcept {
  instance* judged = has_policy() ? ask_policy() : nullptr;
  instance* doomed = nullptr;
  instance* gone = nullptr;
  instance* uncared_for = nullptr;
  bool closed = false;
  {
    const lock_guard hold(lock_);
    doomed = std::exchange(doomed_, nullptr);
    armed_ = false;
    closed = closed_;
    if (closed) {
      gone = take_idle(forever);
    } else if (!has_policy()) {
      gone = take_idle(clock_.now() - keep_alive_);
    }
    if (!closed && !keep_calm(nullptr)) uncared_for = take_idle(forever);
  }
  if (closed) maker_.drop_snapshot();
  for (instance* const each : {doomed, judged, gone, uncared_for}) {
    retire(each);
  }
}

// Without the lock the policy is asked, so meanwhile the one in question is
// neither idle nor ending. Returns those that are to end.
inline instance* instance_pool::ask_policy() noexcept {
  instance* gone = nullptr;
  while (instance* const due = take_due()) {
    const std::int64_t now = clock_.now();
    const std::chrono::nanoseconds idle(idle_time(due->idle_since, now));
    keep(*due, policy_->tick(as_time(now), idle), now);
    const lock_guard hold(lock_);
    if (due->keep_until > now) {
      idle_.add(*due);
      continue;
    }
    idle_.count(*due, now);
    end(*due, closed_ ? closed_for_ : retire_reason::expired);
    due->older = std::exchange(gone, due);
  }
  return gone;
}

inline instance* instance_pool::take_due() noexcept {
  const lock_guard hold(lock_);
  if (closed_ || !spares_any()) return nullptr;
  return idle_.take_due(clock_.now());
}

// Under the lock: a list, by `older`, of all that are idle since then and need
// not stay. They count as ending.
inline instance* instance_pool::take_idle(std::int64_t since) noexcept {
  const retire_reason why = closed_ ? closed_for_ : retire_reason::expired;
  const std::int64_t now = clock_.now();
  instance* first = nullptr;
  instance** last = &first;
  while (closed_ || spares_any()) {
    instance* const gone = idle_.take_since(since);
    if (gone == nullptr) break;
    idle_.count(*gone, now);
    end(*gone, why);
    *last = gone;
    last = &gone->older;
  }
  *last = nullptr;
  return first;
}

/// A list, by `older`, of those that are ending.
inline void instance_pool::retire(instance* gone) noexcept {
  if (gone == nullptr) return;
  std::int64_t count = 0;
  std::int64_t evicted = 0;
  std::int64_t own = 0;  // Those that no shard counts.
  {
    const nobody running(maker_.ends_silently() ? nullptr : threads_.here());
    for (; gone != nullptr; ++count) {
      instance& each = *std::exchange(gone, gone->older);
      instance_shard* const home = shards_.of(each);
      if (each.ends_for == retire_reason::evicted) ++evicted;
      maker_.end(each);
      if (home == nullptr) ++own;
      if (home != nullptr) home->finish_end(shards_.limited());
    }
  }
  bool lacking = false;
  if (own + evicted > 0) {
    const lock_guard hold(lock_);
    ending_ -= own;
    evicted_ += static_cast<std::uint64_t>(evicted);
    lacking = lacks_any();
  }
  // An evicted one's memory is somebody else's already.
  budget_.give_back((count - evicted) * memory());
  if (lacking) queue_work();
  // The pool may be gone when others have heard of it: last.
  ends_.finish(count - evicted);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
