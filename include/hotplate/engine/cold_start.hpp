#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

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

// Where idle instances have to go first, they end before this returns.
inline bool core::reserve_instance(invocation& call, std::int64_t& now) {
  instance_pool& pool = call.version->instances;
  shortage lacks = pool.reserve();
  if (lacks == shortage::memory) {
    // They may suspend, and nobody would look at this one's deadline.
    call.limit.token = call.generation() << invocation::generation_shift;
    threads_.arm(call.limit, call.deadline.load(std::memory_order_relaxed),
                 timer_order::deadline);
    if (pool.make_room(*threads_.here())) lacks = shortage::none;
    threads_.timers().disarm(call.limit);
    now = time_.now();
    if (lacks == shortage::none && is_late(call, now)) {
      pool.give_up_room();
      return false;
    }
  }
  if (lacks == shortage::none) return true;
  call.thrown = lacks == shortage::memory ? lacks_memory(call, budget_)
                                          : lacks_instance(call);
  return false;
}

inline bool core::make_instance(invocation& call, lease& on_loan) {
  instance_pool& pool = call.version->instances;
  instance& made = *pool.make();
  on_loan.hold(pool, made);
  if (is_late(call, time_.now())) return false;
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
    expire(call, call.generation(), now);
  }
  return call.has(invocation::claimed);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
