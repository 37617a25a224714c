#pragma once

#include "hotplate/instances/instance_pool.hpp"

// Instances that several invocations use at once. All of it is done under the
// pool's lock. `loan` belongs to an invocation, and says which it uses, so that
// whoever settles it before its end can find that (P4).

namespace hotplate::inline HOTPLATE_ABI::detail {

// Under the lock.
inline bool instance_pool::has_room(const instance& used) const noexcept {
  return !used.spoiled && used.in_use < config_.instance_concurrency &&
         used.uses_left.load(std::memory_order_relaxed) > used.in_use;
}

// Under the lock: one in use is listed while it has room.
inline void instance_pool::keep_listed(instance& used) noexcept {
  const bool now = used.in_use > 0 && has_room(used);
  if (now == used.joinable) return;
  used.joinable = now;
  now ? joinable_.link(used) : joinable_.unlink(used);
}

/// One in use that has room, else one that is idle, else null: so also if
/// `is_over()`, which must not start a handler any more. In both cases the one
/// that became so last. Those of a closed pool are left to end.
template <typename Over>
instance* instance_pool::join(std::int64_t now, start_kind& how,
                              instance*& loan, const Over& is_over) noexcept {
  const lock_guard hold(lock_);
  // Under the lock, as spoil() is: of this and of settling, one comes first.
  if (is_over()) return nullptr;
  instance* found = closed_ ? nullptr : joinable_.newest();
  if (found == nullptr) {
    found = idle_.take(now);
    if (found == nullptr) return nullptr;
    found->idle_since = now;
  }
  how = start_of_use(*found);
  ++found->in_use;
  loan = found;
  keep_listed(*found);
  return found;
}

/// Whoever has made one lets others join it, unless its own invocation is over.
template <typename Over>
void instance_pool::share(instance& made, instance*& loan,
                          const Over& is_over) noexcept {
  const lock_guard hold(lock_);
  if (is_over()) return;
  made.idle_since = made.made_at;
  loan = &made;
  keep_listed(made);
}

/// One of its invocations has ended; the last one returns it, or dooms it.
HOTPLATE_NOINLINE inline instance* instance_pool::put_shared(
    instance& used, instance*& loan, std::int64_t now, bool warm) noexcept {
  bool retires = false;
  {
    const lock_guard hold(lock_);
    loan = nullptr;
    --used.in_use;
    if (!warm) used.spoiled = true;
    const bool used_up = warm && use_up(used);
    // The newest of those with room, unless it has had room before.
    if (!used.joinable) used.idle_since = now;
    keep_listed(used);
    if (used.in_use > 0) return nullptr;
    retires = used.spoiled || used_up;
    used.idle_since = now;
  }
  if (!retires) return put_idle(used);
  return doom(used,
              used.spoiled ? retire_reason::failed : retire_reason::used_up);
}

/// Its invocation has failed, and goes on: from now on nobody joins it.
HOTPLATE_NOINLINE inline void instance_pool::spoil(instance*& loan) noexcept {
  const lock_guard hold(lock_);
  if (loan == nullptr) return;
  loan->spoiled = true;
  keep_listed(*loan);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
