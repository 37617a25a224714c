#pragma once

#include "hotplate/instances/instance_pool.hpp"

// Idle instances that go because others need their memory. They end on fibers
// of their own function's stack size, one after another, while whoever needs
// the memory waits; it is claimed by that one then.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline eviction instance_budget::claim(std::int64_t memory) noexcept {
  const lock_guard hold(evicting_);
  eviction given;
  std::int64_t had = 0;
  std::uint64_t count = 0;
  while (!try_claim(std::max<std::int64_t>(memory - had, 0))) {
    instance* const victim = next_victim();
    if (victim == nullptr) return unharmed(given.first);
    victim->older = std::exchange(given.first, victim);
    had += victim->pool->memory();
    ++count;
  }
  given.enough = true;
  given.excess = std::max<std::int64_t>(had - memory, 0);
  evictions_.fetch_add(count, std::memory_order_relaxed);
  return given;
}

// Still under the lock, so that nobody else is refused for want of them. Those
// whose pool has been closed meanwhile must end after all.
inline eviction instance_budget::unharmed(instance* taken) noexcept {
  eviction ending;
  while (taken != nullptr) {
    instance& each = *std::exchange(taken, taken->older);
    if (each.pool->restore(each)) continue;
    each.older = std::exchange(ending.first, &each);
    ending.excess += each.pool->memory();
  }
  return ending;
}

// Under the lock: from now on, the oldest may be called upon.
inline void instance_pool::rank() noexcept {
  if (!budget_.limited() || ranked_ || closed_ || !spares_any()) return;
  if (idle_.oldest() == forever) {
    // The next to come back ranks the pool, unless it has just come, and has
    // seen the pool calm.
    stir();
  }
  const std::int64_t oldest = idle_.oldest();
  if (oldest == forever) return;
  ranked_ = true;
  budget_.rank(rank_, oldest);
}

inline void instance_pool::offer(void* target, std::uint64_t last_use,
                                 std::int64_t) noexcept {
  auto& pool = *static_cast<instance_pool*>(target);
  pool.budget_.offer(pool.give_up(static_cast<std::int64_t>(last_use)));
}

/// The one unused longest, if really since then; else null, and the pool is
/// ranked as it deserves.
inline instance* instance_pool::give_up(std::int64_t last_use) noexcept {
  const lock_guard hold(lock_);
  ranked_ = false;
  instance* gone = nullptr;
  if (!closed_ && spares_any()) gone = idle_.take_since(last_use);
  if (gone != nullptr) end(*gone, retire_reason::evicted);
  rank();
  return gone;
}

/// False if the pool has been closed.
inline bool instance_pool::restore(instance& unharmed) noexcept {
  const lock_guard hold(lock_);
  if (closed_) return false;
  unharmed.made_ahead = false;  // It has been used.
  if (instance_shard* const home = shards_.of(unharmed)) {
    home->take_back(unharmed);
  } else {
    all_.add(unharmed);
    count_in(unharmed);
    ++live_;
    --ending_;
  }
  --given_up_;
  idle_.add(unharmed);
  static_cast<void>(keep_calm(&unharmed));
  return true;
}

/// Lives on the stack of the fiber that waits for it.
struct instance_pool::ending : task {
  ending(instance_pool& its, instance& end, fiber& waiting) noexcept
      : pool(its), gone(end), caller(waiting) {
    task::run = [](task& self, worker&) -> fiber* {
      auto& mine = static_cast<ending&>(self);
      mine.pool.cannot_be_restored();
      mine.pool.retire(&mine.gone);
      mine.done = true;
      return &mine.caller;
    };
    task::name = [](const task& self) noexcept {
      return static_cast<const ending&>(self).pool.maker_.function();
    };
    task::stack_class = its.task::stack_class;
  }

  instance_pool& pool;
  instance& gone;
  fiber& caller;
  bool done = false;
};

// Of one given up.
inline void instance_pool::cannot_be_restored() noexcept {
  const lock_guard hold(lock_);
  --given_up_;
}

// False if there was no memory for a stack; it is idle again then.
inline bool instance_pool::end_evicted(instance& gone, worker& on) noexcept {
  const std::int64_t idle = idle_time(gone.idle_since, clock_.now());
  gone.older = nullptr;
  ending last(*this, gone, on.current());
  const bool apart = !maker_.ends_silently();
  if (apart && on.run_now(last)) {
    while (on.is_plain() && !last.done) on.run_ready();
  } else {
    if (apart && restore(gone)) return false;
    last.run(last, on);
  }
  const lock_guard hold(lock_);
  idle_.count(idle);
  return true;
}

/// Returns the memory of those that are idle again.
inline std::int64_t instance_pool::end_all(instance* given_up,
                                           worker& on) noexcept {
  std::int64_t kept = 0;
  const nobody running(&on);
  while (given_up != nullptr) {
    instance& gone = *std::exchange(given_up, given_up->older);
    instance_pool& its = *gone.pool;
    if (!its.end_evicted(gone, on)) kept += its.memory();
  }
  return kept;
}

/// Memory for one that was reserved after `seen`, for which what ends here does
/// not count. False if there is none: then it is not reserved any more. May
/// switch to other fibers of the worker.
HOTPLATE_NOINLINE inline bool instance_pool::make_room(
    worker& on, instance_ends::moment& seen) noexcept {
  const eviction given = budget_.claim(memory());
  const bool evicts = given.first != nullptr;
  if (evicts) {
    ends_.begin();
    ++seen.over;
  }
  std::int64_t held = given.excess + (given.enough ? memory() : 0);
  held -= end_all(given.first, on);
  const bool made = given.enough && held >= memory();
  budget_.give_back(made ? held - memory() : held);
  if (evicts) ends_.finish(1);
  if (made) return true;
  const lock_guard hold(lock_);
  --live_;
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
