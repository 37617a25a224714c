#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

// Waiting: a handler's fiber suspends, any other thread blocks. Every wait ends
// at the deadline of whoever waits, and every wait looks again when it is over.
// A fiber may go on on another worker: whatever may suspend one returns where
// it is then (null on a thread that runs no worker).

namespace hotplate::inline HOTPLATE_ABI::detail {

inline worker* core::wait(invocation& call, worker* here, std::int64_t until) {
  if (call.has(invocation::settled)) return here;
  if (here != nullptr && !here->on_root()) {
    return wait_as_fiber(call, here, until);
  }
  if (threads_.pumped()) {
    wait_beside_pump(call, until);
  } else {
    wait_as_thread(call, until);
  }
  return here;
}

// A handler that is thrown out while it waits takes no outcome any more.
HOTPLATE_NOINLINE inline worker* core::wait_or_leave(invocation& call,
                                                     worker* here) {
  try {
    return wait(call, here);
  } catch (...) {
    leave(call, threads_.here());
    throw;
  }
}

namespace waiting {

/// A fiber that waits for an invocation; lives on its stack.
struct note {
  invocation* call;  // Null: for nothing but its turn.
  worker& home;
  fiber& self;
  std::uint32_t wait;
};

// Runs once the fiber has been left: only now may it be found.
inline void publish(void* argument) {
  const note waiting = *static_cast<note*>(argument);
  const std::uint64_t before = waiting.call->state.fetch_or(
      invocation::fiber_waits, std::memory_order_acq_rel);
  if ((before & invocation::settled) != 0 && waiting.self.wake(waiting.wait)) {
    waiting.home.resume(waiting.self);
  }
}

// To the end of the queue, unless its deadline has resumed it meanwhile.
inline void resume(void* argument) {
  const note yielding = *static_cast<note*>(argument);
  if (yielding.self.wake(yielding.wait)) yielding.home.resume(yielding.self);
}

}  // namespace waiting

inline worker* core::wait_as_fiber(invocation& call, worker* here,
                                   std::int64_t until) {
  auto* const self = static_cast<invocation*>(here->running());
  if (self == nullptr) return wait_alone(call, *here, until);
  while (!call.has(invocation::settled)) {
    const bool over = throw_if_over(here);
    // Unless somebody else is just settling it: then that is waited for.
    if (over && (cancel(call, call.generation(), errc::cancelled) ||
                 until != forever)) {
      break;
    }
    const std::int64_t left_at = time_.now();
    if (left_at >= until) break;
    step_out(*self, left_at);
    fiber& on = here->current();
    // One that is over has no deadline to be woken by any more.
    const std::uint32_t wait = over ? on.arm() : open_wait(*self, on, until);
    call.caller.store(&on, std::memory_order_relaxed);
    call.wait_number.store(wait, std::memory_order_relaxed);
    waiting::note note{&call, *here, on, wait};
    if (over) {
      here->suspend({code_.publish_wait, &note});
      here = on.home();
    } else {
      here = suspend(*self, *here, wait, {code_.publish_wait, &note});
    }
    call.state.fetch_and(~std::uint64_t{invocation::fiber_waits},
                         std::memory_order_relaxed);
    close_wait(*self, *here, time_.now());
  }
  return here;
}

// What is made ahead or ends belongs to no invocation: it has nobody's timers
// to wait with, and stays on its worker.
inline worker* core::wait_alone(invocation& call, worker& here,
                                std::int64_t until) {
  while (until == forever && !call.has(invocation::settled)) {
    fiber& on = here.current();
    const std::uint32_t wait = on.arm();
    call.caller.store(&on, std::memory_order_relaxed);
    call.wait_number.store(wait, std::memory_order_relaxed);
    waiting::note note{&call, here, on, wait};
    here.suspend({&waiting::publish, &note});
    call.state.fetch_and(~std::uint64_t{invocation::fiber_waits},
                         std::memory_order_relaxed);
    here.set_running(nullptr);
  }
  return &here;
}

inline void core::sleep_until(invocation& call, std::int64_t when) {
  worker* here = threads_.here();
  for (;;) {
    if (throw_if_over(here)) return;
    const std::int64_t left_at = time_.now();
    if (left_at >= when) return;
    step_out(call, left_at);
    const std::uint32_t wait = open_wait(call, here->current(), when);
    here = suspend(call, *here, wait, {});
    close_wait(call, *here, time_.now());
  }
}

inline void core::yield(invocation* self, worker& here) {
  if (self != nullptr) return yield(*self);
  fiber& on = here.current();
  waiting::note note{nullptr, here, on, on.arm()};
  here.suspend({code_.yield, &note});
  here.set_running(nullptr);
}

inline void core::yield(invocation& call) {
  worker& here = *threads_.here();
  if (throw_if_over(&here)) return;
  step_out(call, time_.now());
  fiber& on = here.current();
  waiting::note note{&call, here, on, open_wait(call, on, forever)};
  here.suspend({code_.yield, &note});
  close_wait(call, *on.home(), time_.now());
  throw_if_over(on.home());
}

// While a fiber is suspended, and until it runs again however long that takes,
// a timer stands for its deadline: the watchdog looks only at what runs.
inline std::uint32_t core::open_wait(invocation& self, fiber& on,
                                     std::int64_t until) noexcept {
  const std::uint32_t wait = on.arm();
  // release: publishes the fiber to in_flight().
  self.on.store(&on, std::memory_order_release);
  self.sleep_number.store(wait, std::memory_order_release);
  // seq_cst: pairs with the fence in wake_suspended().
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::uint64_t token =
      (self.generation() << invocation::generation_shift) | wait;
  const std::int64_t deadline = self.deadline.load(std::memory_order_relaxed);
  self.limit.token = self.alarm.token = token;
  threads_.arm(self.limit, deadline, timer_order::deadline);
  if (until <= deadline) {
    threads_.arm(self.alarm, until, timer_order::completion);
  }
  return wait;
}

HOTPLATE_NOINLINE inline worker* core::suspend(invocation& self, worker& here,
                                               std::uint32_t wait,
                                               after_switch then) noexcept {
  fiber& on = here.current();
  // Cancelled meanwhile: stay, unless somebody has already resumed this fiber,
  // which must then be left to be resumed.
  if (self.has(invocation::claimed) && on.wake(wait)) return &here;
  here.suspend(then);
  return on.home();
}

inline void core::close_wait(invocation& self, worker& here,
                             std::int64_t now) noexcept {
  threads_.timers().disarm(self.alarm);
  threads_.timers().disarm(self.limit);
  self.sleep_number.store(0, std::memory_order_relaxed);
  go_on(self, here, now);
}

// One word says how long it was suspended and since when it is: who settles it
// meanwhile finds both or neither.
inline void core::step_out(invocation& self, std::int64_t now) noexcept {
  self.suspended.store(self.suspended.load(std::memory_order_relaxed) - now - 1,
                       std::memory_order_relaxed);
}

inline void core::go_on(invocation& self, worker& here,
                        std::int64_t now) noexcept {
  self.suspended.store(self.suspended.load(std::memory_order_relaxed) + now + 1,
                       std::memory_order_relaxed);
  here.set_running(&self);
  // Nobody else looks at the deadlines of a host-pumped engine's handlers.
  if (threads_.pumped() && now > self.deadline.load(std::memory_order_relaxed))
      [[unlikely]] {
    expire(self, self.generation(), now, true);
  }
}

inline void core::wake(fiber* suspended, std::uint32_t wait) noexcept {
  if (suspended != nullptr && suspended->wake(wait)) resume(*suspended);
}

inline void core::resume(fiber& ready) noexcept {
  worker* const home = ready.home();
  home == threads_.here() ? home->resume(ready) : home->post(ready);
}

// Both may come late, for a record or a fiber in use again: the generation
// guards the one, and a fiber woken in vain looks and waits again.
inline void core::end_wait(void* target, std::uint64_t token,
                           std::int64_t) noexcept {
  auto& call = *static_cast<invocation*>(target);
  const auto wait = static_cast<std::uint32_t>(token);
  // 0: it waits for a place, not on a fiber.
  if (wait == 0) return;
  if (call.generation() != token >> invocation::generation_shift) return;
  call.engine->wake(call.on.load(std::memory_order_relaxed), wait);
}

inline void core::end_by_deadline(void* target, std::uint64_t token,
                                  std::int64_t now) noexcept {
  auto& call = *static_cast<invocation*>(target);
  // Null if it comes so late that the record's memory was given back.
  if (core* const engine = call.engine) {
    engine->expire(call, token >> invocation::generation_shift, now);
  }
  end_wait(target, token, now);
}

inline void core::throw_if_forked() const {
  if (is_forked()) throw bad_outcome(*is_unusable(*this));
}

HOTPLATE_NOINLINE inline void core::wait_as_thread(
    invocation& call, std::int64_t until) noexcept {
  const std::int64_t spin_until = time_.now() + spin();
  do {
    // Some looks between two readings of the clock, which take longer.
    for (int i = 0; i < 8; ++i) {
      if (call.has(invocation::settled)) return;
      relax();
    }
  } while (time_.now() < spin_until);
  call.state.fetch_or(invocation::thread_waits, std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t seen = call.state.load(std::memory_order_acquire);
    if ((seen & invocation::settled) != 0) return;
    const std::int64_t deadline = call.deadline.load(std::memory_order_acquire);
    futex_wait(&call.state, static_cast<std::uint32_t>(seen),
               std::min(until, deadline));
    const std::int64_t now = time_.now();
    if (now >= deadline) expire(call, call.generation(), now);
    if (now >= until) return;
  }
}

HOTPLATE_INLINE worker* core::here_or_throw(
    const source_location& where) const {
  worker* const here = threads_.here();
  if (here != nullptr && !here->on_root()) {
    throw_if_over(here);
    if (task* const self = here->running()) {
      static_cast<invocation*>(self)->at.mark(where);
    }
  }
  return here;
}

HOTPLATE_INLINE bool core::throw_if_over(worker* here) const {
  const auto* const self = static_cast<invocation*>(here->running());
  if (self == nullptr || !self->has(invocation::claimed)) [[likely]] {
    return false;
  }
  return throw_unless_unwinding(*self, *here);
}

// Not while an exception is on its way out: a second one would end the process,
// and destructors may wait as well. True if it would have thrown but for that;
// the wait then ends at once.
HOTPLATE_NOINLINE inline bool core::throw_unless_unwinding(
    const invocation& self, const worker& here) const {
  if (std::uncaught_exceptions() != 0) return true;
  if (meters_.tells(here.index())) throw bad_outcome(*is_metered(self));
  throw invocation_cancelled();
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
