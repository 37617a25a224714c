#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/pumping.hpp"

// A host-pumped engine: the host's threads run the one worker, in turn.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline std::size_t core::poll() {
  const pumping pump(threads_);
  std::size_t ran = 0;
  while (pump && pump_once(*pump)) ++ran;
  return ran;
}

inline bool core::poll_one() {
  const pumping pump(threads_);
  return pump && pump_once(*pump);
}

inline void core::run_until_idle() {
  const pumping pump(threads_);
  if (!pump) return;
  while (pump_once(*pump) ||
         (has_suspended() && pump_next_timer(*pump, forever))) {
  }
}

inline void core::run_until(time_point when) {
  const pumping pump(threads_);
  if (!pump) return;
  const std::int64_t end = as_count(when);
  do {
    while (time_.now() < end && pump_once(*pump)) {
    }
  } while (time_.now() < end && pump_next_timer(*pump, end));
  // What completes exactly now, and no more: arrivals come next.
  while (pump_once(*pump, timer_order::completion)) {
  }
}

HOTPLATE_NOINLINE inline void core::run_pumping(invocation& call) {
  const pumping pump(threads_);
  if (!pump) {
    send_to_worker(call, nullptr);
    return wait_beside_pump(call, forever);
  }
  worker& on = *pump;
  call.caller.store(&on.root(), std::memory_order_relaxed);
  call.is.direct = true;
  enter_queue(call);
  if (!on.run_now(call)) refuse_fiber(call, on);
  pump_until_settled(call, on, forever);
}

inline void core::pump_until_settled(invocation& call, worker& on,
                                     std::int64_t until) {
  while (!call.has(invocation::settled)) {
    // As run_until(): what completes exactly then is in time.
    const bool late = until != forever && time_.now() >= until;
    const bool ran =
        pump_once(on, late ? timer_order::completion : timer_order::keep_alive);
    if (late && (!ran || config_.clock == nullptr)) return;
    if (ran || pump_next_timer(on, until)) continue;
    if (until == forever) cancel(call, call.generation(), errc::stalled);
    if (time_.now() < until) return;
  }
}

// Another thread pumps. Should it stop before this call has settled, this one
// takes over; nobody tells, so it looks every millisecond.
inline void core::wait_beside_pump(invocation& call, std::int64_t until) {
  constexpr std::int64_t nap = 1'000'000;
  // Within the pump, but not in a handler: it would wait for itself.
  if (threads_.here() != nullptr) {
    if (until == forever)
      cancel(call, call.generation(), errc::already_pumping);
    return;
  }
  while (!call.has(invocation::settled)) {
    if (const pumping pump(threads_); pump) {
      return pump_until_settled(call, *pump, until);
    }
    if (until != forever && time_.now() >= until) return;
    const std::uint64_t seen = call.state.fetch_or(invocation::thread_waits,
                                                   std::memory_order_acq_rel);
    if ((seen & invocation::settled) != 0) return;
    futex_wait(&call.state,
               static_cast<std::uint32_t>(seen | invocation::thread_waits),
               monotonic_now() + nap);
  }
}

inline bool core::pump_once(worker& on, timer_order last) {
  if (on.step()) return true;
  const std::int64_t now = time_.now();
  if (threads_.timers().fire_one(now, last)) return true;
  trim(now);
  return false;
}

/// Waits for the next timer, or moves a manual clock to it, at most to `until`.
/// False if there is none by then.
inline bool core::pump_next_timer(worker& on, std::int64_t until) {
  const std::int64_t next = threads_.timers().next();
  const std::int64_t when = std::min(next, until);
  if (when == forever) return false;
  if (config_.clock != nullptr) {
    config_.clock->advance_to(as_time(when));
    if (time_.now() < when) return false;  // Beyond manual_clock::latest().
  } else {
    on.park(when);
  }
  return time_.now() < until;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
