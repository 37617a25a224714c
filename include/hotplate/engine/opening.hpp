#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

// Before an invocation is made: a record of it, and what bounds it.

namespace hotplate::inline HOTPLATE_ABI::detail {

// Writes what others may read at the same time: see in_flight().
template <typename T>
HOTPLATE_INLINE void core::show(T& seen, T now) noexcept {
  std::atomic_ref(seen).store(now, std::memory_order_relaxed);
}

inline invocation* core::open(function_record* target, version_record* version,
                              const invoke_options& options,
                              worker* here) noexcept {
  if (here == nullptr && is_forked()) [[unlikely]]
    return nullptr;
  invocation* const call = records_.take(here);
  if (call == nullptr) [[unlikely]]
    return nullptr;
  // release: who sees one of these sees that the last invocation has ended;
  // pairs with the fence in list_in_flight(). No instruction on x86-64.
  std::atomic_thread_fence(std::memory_order_release);
  show(call->version, static_cast<deployed_version*>(version));
  show(call->target,
       version != nullptr ? static_cast<deployed_function*>(target) : nullptr);
  if (version != nullptr) [[likely]]
    static_cast<fiber_kind&>(*call) = call->version->fibers;
  call->options = {options.trigger, options.keep_log, options.attempt};
  call->labels.clear();
  if ((options.tenant.size() | options.trace.size()) != 0) [[unlikely]]
    call->labels.keep(options.tenant, options.trace);
  call->is = {};
  call->parent = nullptr;
  call->event_bytes = 0;
  call->bound = as_count(options.deadline);
  show(call->arrived, invocation::never);
  call->started.store(invocation::never, std::memory_order_relaxed);
  call->handler_started.store(invocation::never, std::memory_order_relaxed);
  call->suspended.store(0, std::memory_order_relaxed);
  call->reached.store(stage::arrival, std::memory_order_relaxed);
  call->start.store(start_kind::none, std::memory_order_relaxed);
  call->deadline.store(forever, std::memory_order_relaxed);
  // release: who sees the new generation sees these values; pairs with
  // generation().
  call->state.store((call->generation() + invocation::next_generation)
                        << invocation::generation_shift,
                    std::memory_order_release);
  return call;
}

inline void core::aim(invocation& call, function_record& target,
                      version_record& version) noexcept {
  show(call.target, static_cast<deployed_function*>(&target));
  show(call.version, static_cast<deployed_version*>(&version));
  static_cast<fiber_kind&>(call) = call.version->fibers;
}

// Where it has none of its own. Not the tenant, who may pay for less than all.
HOTPLATE_NOINLINE inline void core::inherit_trace(
    invocation& call, const invocation& from) noexcept {
  if (!call.labels.trace().empty() || from.labels.trace().empty()) return;
  call.labels.inherit(from.labels.trace());
  if (call.labels.lost() && call.thrown == nullptr) {
    call.thrown = is_out_of_memory(call, "to keep its trace context");
  }
}

// A nested invocation inherits its caller's deadline; the nearer one wins.
inline void core::follow_caller(invocation& call, worker* here) noexcept {
  if (here == nullptr || here->on_root()) return;
  auto* const parent = static_cast<invocation*>(here->running());
  if (parent == nullptr) return;
  call.parent = parent;
  if (parent->labels.any()) [[unlikely]]
    inherit_trace(call, *parent);
  call.parent_generation = parent->generation();
  call.bound =
      std::min(call.bound, parent->deadline.load(std::memory_order_relaxed));
}

// The bound on waiting to start is the function's timeout.
HOTPLATE_INLINE void core::arrive(invocation& call, std::int64_t now) noexcept {
  show(call.arrived, now);
  const std::int64_t longest = call.version != nullptr ? timeout_of(call) : 0;
  call.deadline.store(std::min(call.bound, now + longest),
                      std::memory_order_release);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
