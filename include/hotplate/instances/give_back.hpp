#pragma once

#include "hotplate/instances/instance_pool.hpp"

// How instances come back from an invocation, or do not. Those that do not are
// ending, and returned as a list by `older`: their destructors and hooks may
// take their time, and whoever gave them back first answers his caller.

namespace hotplate::inline HOTPLATE_ABI::detail {

// True if that was its last use.
HOTPLATE_INLINE bool instance_pool::use_up(instance& used) noexcept {
  const std::int64_t left = used.uses_left.load(std::memory_order_relaxed) - 1;
  used.uses_left.store(left, std::memory_order_relaxed);
  return left == 0;
}

HOTPLATE_INLINE instance* instance_pool::put_back(instance& used,
                                                  std::size_t worker,
                                                  std::int64_t now) noexcept {
  place* const own = idle_.own(worker);
  if (own == nullptr) [[unlikely]]
    return put_first(used, now);
  if (use_up(used)) [[unlikely]]
    return doom(used, retire_reason::used_up);
  used.idle_since = now;
  instance* const before = own->put(used, now, threads_.fence());
  // seq_cst, after the fence in put(): either this sees that the pool is not
  // calm any more, or who made it so finds the instance; see stir().
  const bool calm = calm_.load(std::memory_order_seq_cst);
  if (before != nullptr || !calm) [[unlikely]]
    return put_aside(before);
  return nullptr;
}

HOTPLATE_NOINLINE inline instance* instance_pool::doom(
    instance& gone, retire_reason why) noexcept {
  if (doom_silently(gone)) return nullptr;
  if (shards_.of(gone) == nullptr) {
    const lock_guard hold(lock_);
    end(gone, why);
  } else {
    begin_end(gone, why);
    if (armed_.load(std::memory_order_relaxed)) disarm_if_none();
  }
  gone.older = nullptr;
  return end_silently(&gone);
}

// One of a shard, in one step. The invocation that has used it still names its
// version, so nobody takes away what it was made of before it is gone.
inline bool instance_pool::doom_silently(instance& gone) noexcept {
  instance_shard* const home = shards_.of(gone);
  if (home == nullptr || !maker_.ends_silently()) return false;
  ends_.begin();
  home->remove(gone, shards_.limited());
  maker_.end(gone);
  budget_.give_back(memory());
  if (armed_.load(std::memory_order_relaxed)) disarm_if_none();
  ends_.finish(1);
  return true;
}

// Nobody notices when those end that run no code of the handler's.
inline instance* instance_pool::end_silently(instance* gone) noexcept {
  if (!maker_.ends_silently()) return gone;
  retire(gone);
  return nullptr;
}

// Under the lock, unless a shard has it: one that is not idle will be
// destroyed.
inline void instance_pool::begin_end(instance& gone,
                                     retire_reason why) noexcept {
  gone.ends_for = why;
  if (why != retire_reason::evicted) ends_.begin();
  if (instance_shard* const home = shards_.of(gone)) {
    home->begin_end(gone);
    return;
  }
  strike_off(gone);
  ++ending_;
  --live_;
}

// Under the lock.
inline void instance_pool::end(instance& gone, retire_reason why) noexcept {
  if (why == retire_reason::evicted) ++given_up_;
  begin_end(gone, why);
  if (armed_ && !has_live()) disarm();
}

HOTPLATE_NOINLINE inline void instance_pool::disarm_if_none() noexcept {
  const lock_guard hold(lock_);
  if (armed_ && !has_live()) disarm();
}

// Under the lock: from here on, who gives one back takes the lock as well; and
// who has not, has done so before what the caller looks at next.
inline void instance_pool::stir() noexcept {
  if (calm_.exchange(false, std::memory_order_seq_cst)) {
    threads_.fence().heavy();
  }
}

// Under the lock: nothing is left that could expire, so no wake-up for it.
// Shards are not counted as of one moment: what has been made meanwhile, and
// come back, either finds the pool calm no more, or is found here.
inline void instance_pool::disarm() noexcept {
  stir();
  if (idle_.oldest() != forever) return;
  threads_.timers().disarm(expiry_);
  armed_ = false;
}

// Places are made when an instance comes back for the second time: most
// functions of a host with many are not invoked that often.
HOTPLATE_NOINLINE inline instance* instance_pool::put_first(
    instance& used, std::int64_t now) noexcept {
  if (use_up(used)) return doom(used, retire_reason::used_up);
  used.idle_since = now;
  if (has_policy()) return put_idle(used);
  if (keeps_none() && !closed_.load(std::memory_order_relaxed)) {
    return doom(used, retire_reason::expired);
  }
  const bool again = came_back_.exchange(true, std::memory_order_relaxed);
  if (again && keep_alive_ > 0) {
    const lock_guard hold(lock_);
    idle_.make_places();
  }
  return put_aside(&used);
}

// One that is idle since idle_since.
inline instance* instance_pool::put_idle(instance& used) noexcept {
  if (has_policy()) {
    keep(used, policy_->on_idle(as_time(used.idle_since)), used.idle_since);
    const bool at_once = used.keep_until == used.idle_since;
    if (at_once && may_end()) return doom(used, retire_reason::expired);
  }
  return put_aside(&used);
}

HOTPLATE_NOINLINE inline instance* instance_pool::put_aside(
    instance* back) noexcept {
  instance* gone = nullptr;
  {
    const lock_guard hold(lock_);
    if (back != nullptr) idle_.add(*back);
    const bool keeps = has_policy() || keep_alive_ > 0;
    if (closed_ || !keeps || !keep_calm(back)) gone = take_idle(forever);
  }
  return end_silently(gone);
}

// Whether the policy's verdict that it is to end at once stands.
inline bool instance_pool::may_end() const noexcept {
  const lock_guard hold(lock_);
  return !closed_ && spares_any();
}

// For whoever has a caller that stands still on his worker. A few wait at most:
// who never lets go of a lone worker must not have them pile up.
HOTPLATE_NOINLINE inline void instance_pool::retire_elsewhere(
    instance* gone) noexcept {
  constexpr std::size_t most = 16;
  bool first = false;
  {
    const lock_guard hold(lock_);
    first = doomed_ == nullptr;
    if (first) doomed_count_ = 0;
    while (gone != nullptr && doomed_count_ < most) {
      instance& each = *std::exchange(gone, gone->older);
      each.older = std::exchange(doomed_, &each);
      ++doomed_count_;
    }
  }
  if (first) queue_work();
  retire(gone);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
