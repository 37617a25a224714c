#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/line.hpp"

// Where an invocation's instance comes from, if not from its worker's place.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline instance* core::take_idle(invocation& call, std::int64_t now) noexcept {
  instance_pool& pool = call.version->instances;
  start_kind how = start_kind::warm;
  instance* const found =
      pool.is_shared()
          ? pool.join(now, how, call.loan,
                      [&] { return call.has(invocation::claimed); })
          : pool.take_any(now, how);
  if (found != nullptr) call.start.store(how, std::memory_order_relaxed);
  return found;
}

// Where others have to end first, it waits for them.
inline bool core::reserve_instance(invocation& call, std::int64_t& now) {
  shortage lacks = call.version->instances.reserve();
  if (lacks == shortage::none) [[likely]]
    return true;
  lacks = reserve_later(call, lacks);
  now = time_.now();
  if (lacks == shortage::none && is_late(call, now)) {
    call.version->instances.give_up_room();
    return false;
  }
  if (lacks == shortage::none) return true;
  call.thrown = lacks == shortage::memory ? lacks_memory(call, budget_)
                                          : lacks_instance(call);
  return false;
}

HOTPLATE_NOINLINE inline shortage core::reserve_later(invocation& call,
                                                      shortage lacks) {
  instance_pool& pool = call.version->instances;
  instance_ends::moment seen;
  if (lacks == shortage::memory && make_room(call, seen)) return shortage::none;
  const instance_ends::wait waiting(ends_);
  for (;;) {
    seen = ends_.now();
    lacks = pool.reserve();
    if (lacks == shortage::none || lacks == shortage::instances) return lacks;
    if (lacks == shortage::memory) {
      if (make_room(call, seen)) return shortage::none;
      if (!ends_.any_since(seen)) return lacks;
    }
    wait_for_end(seen);
    // It has not begun yet, for all that its usage says.
    call.suspended.store(0, std::memory_order_relaxed);
    call.started.store(time_.now(), std::memory_order_relaxed);
  }
}

// Idle ones end before this returns.
inline bool core::make_room(invocation& call, instance_ends::moment& seen) {
  // They may suspend, and nobody would look at this one's deadline.
  call.limit.token = call.generation() << invocation::generation_shift;
  threads_.arm(call.limit, call.deadline.load(std::memory_order_relaxed),
               timer_order::deadline);
  const bool made = call.version->instances.make_room(*threads_.here(), seen);
  threads_.timers().disarm(call.limit);
  return made;
}

// Throws invocation_cancelled.
inline void core::wait_for_end(const instance_ends::moment& seen) {
  guest self;
  {
    const lock_guard hold(lacking_.guard());
    if (ends_.told_since(seen)) return;
    lacking_line_.join(self);
  }
  lacking_.stand(lacking_line_, self, threads_.here(), forever);
}

inline void core::tell_of_end(void* self) noexcept {
  auto& engine = *static_cast<core*>(self);
  for (;;) {
    summons next;
    {
      const lock_guard hold(engine.lacking_.guard());
      if (engine.lacking_line_.empty()) return;
      next = engine.lacking_.serve_first(engine.lacking_line_);
    }
    lobby::deliver(next);
  }
}

inline bool core::start_cold(invocation& call, lease& on_loan,
                             instance_shard* home, std::int64_t& now) {
  instance_pool& pool = call.version->instances;
  if (call.has(invocation::claimed)) {
    if (home != nullptr) pool.give_up_room(home);
    return false;
  }
  if (home == nullptr && !reserve_instance(call, now)) return false;
  pool.note(now, true);
  enter_init(call, pool.next_start(), now);
  return make_instance(call, on_loan, home, now);
}

// Returns false if its handler must not start any more; else `now` is when it
// was made.
inline bool core::make_instance(invocation& call, lease& on_loan,
                                instance_shard* home, std::int64_t& now) {
  instance_pool& pool = call.version->instances;
  instance& made = *pool.make(home);
  on_loan.hold(pool, made);
  now = made.made_at;
  if (is_late(call, now)) return false;
  if (!pool.is_shared()) return true;
  const auto is_over = [&] { return call.has(invocation::claimed); };
  pool.share(made, call.loan, is_over);
  return !is_over();
}

// It failed, and goes on: its handler is told, and nobody is to join the
// instance that it uses.
inline void core::disown(invocation& call) noexcept {
  request_stop(call);
  if (call.version == nullptr || !call.version->instances.is_shared()) return;
  call.version->instances.spoil(call.loan);
}

// Nobody looks at a host-pumped engine's deadlines meanwhile.
inline bool core::is_late(invocation& call, std::int64_t now) noexcept {
  if (now > call.deadline.load(std::memory_order_relaxed)) {
    expire(call, call.generation(), now, true);
  }
  return call.has(invocation::claimed);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
