#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/glimpse.hpp"

// What an invocation has cost: counted, and told to the host's meters.

namespace hotplate::inline HOTPLATE_ABI::detail {

HOTPLATE_INLINE usage core::usage_of(const invocation& call, errc status,
                                     std::int64_t now) const noexcept {
  using std::chrono::nanoseconds;
  const std::int64_t started = call.started.load(std::memory_order_relaxed);
  const std::int64_t handler =
      call.handler_started.load(std::memory_order_relaxed);
  const bool ran = handler != invocation::never;
  const bool began = started != invocation::never;
  usage used;
  used.id = {identity_, number_of(call)};
  if (call.version != nullptr) [[likely]] {
    used.version = call.version->number;
    used.memory_mib = call.version->config.memory.count;
  }
  used.attempt = call.options.attempt;
  used.trigger = call.options.trigger;
  used.start = call.start.load(std::memory_order_relaxed);
  used.status = status;
  used.reached = call.reached.load(std::memory_order_relaxed);
  used.queued = nanoseconds((began ? started : now) - call.arrived);
  if (was_made(used.start)) [[unlikely]]
    used.init = nanoseconds((ran ? handler : now) - started);
  used.duration = nanoseconds(ran ? now - handler : 0);
  used.suspended = nanoseconds(call.suspended.load(std::memory_order_relaxed));
  used.arena_peak_bytes = call.memory.last_known();
  used.event_bytes = call.event_bytes;
  return used;
}

HOTPLATE_INLINE usage core::usage_of(const invocation& call) const noexcept {
  if (call.is.early) [[unlikely]]
    return call.used;
  usage used = usage_of(call, call.is.verdict, call.settled_at);
  used.arena_peak_bytes = call.memory.used();
  used.response_bytes = call.is.encoded ? call.response_bytes : 0;
  return used;
}

// Counted first, so that a meter that looks at statistics finds it there.
HOTPLATE_INLINE void core::meter(const invocation& call,
                                 worker* here) noexcept {
  const bool plain = here != nullptr && here->seat() != worker::no_seat &&
                     call.target != nullptr;
  if (plain) [[likely]] {
    usage used = usage_of(call, call.is.verdict, call.settled_at);
    used.arena_peak_bytes = call.memory.used();
    call.target->meter.record(here->seat(), used);
  } else {
    record_closely(call, here);
  }
  if (!meters_.empty()) [[unlikely]]
    tell_meters(call, here);
}

HOTPLATE_NOINLINE inline void core::record_closely(const invocation& call,
                                                   worker* here) noexcept {
  const usage used = usage_of(call);
  if (call.target == nullptr) {
    not_found_.fetch_add(1, std::memory_order_relaxed);
  } else if (here != nullptr && here->seat() != worker::no_seat) {
    call.target->meter.record(here->seat(), used);
  } else {
    call.target->meter.record_outside(used);
  }
}

// Puts the usage together anew: what is counted stays in registers without it.
HOTPLATE_NOINLINE inline void core::tell_meters(const invocation& call,
                                                const worker* here) noexcept {
  const usage used = usage_of(call);
  const metered_invocation seen{
      call.target != nullptr ? std::string_view(call.target->name)
                             : std::string_view(),
      call.labels.tenant(), used, call.failure.get(), call.labels.trace()};
  meters_.tell(here != nullptr ? here->index() : no_worker,
               [&](hotplate::meter& each) { each.on_invocation(seen); });
}

template <int>
bool core::remove_meter(hotplate::meter& gone) {
  const worker* const by = here();
  return meters_.remove(gone, by != nullptr ? by->index() : no_worker);
}

// By the watchdog, of what a worker runs. The record may be another
// invocation's by now; what it said counts if its generation is the same after.
inline void core::watch_overrun(std::size_t worker, invocation& call,
                                std::uint64_t generation,
                                std::int64_t now) noexcept {
  const std::uint64_t number = (std::uint64_t{call.slot} << 32) | generation;
  const std::int64_t beyond = overruns_seen_.look(worker, number, now);
  if (beyond == 0) return;
  const glimpse seen(call);
  if (!seen.still_is(call, generation)) return;
  const overrun late{seen.target->name,
                     {identity_, number},
                     seen.version->number,
                     std::chrono::nanoseconds(seen.age(now)),
                     std::chrono::nanoseconds(beyond)};
  meters_.tell(no_worker,
               [&](hotplate::meter& each) { each.on_overrun(late); });
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
