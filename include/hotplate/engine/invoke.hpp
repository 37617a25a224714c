#pragma once

#include <exception>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/handler_view.hpp"

// The life of an invocation, from top to bottom. A caller opens a record, aims
// it at a version (opening.hpp) and places the arguments (typed.hpp), and then:

namespace hotplate::inline HOTPLATE_ABI::detail {

inline worker* core::invoke(invocation& call, worker* here) {
  const admission answer = admit(call, here, time_);
  // One that is refused may have been claimed by who drains, and settles yet.
  if (answer != admission::granted) [[unlikely]]
    return wait_or_leave(call, here);
  if (here != nullptr) return run_directly(call, *here);
  if (threads_.pumped()) {
    run_pumping(call);
  } else {
    send_to_worker(call, nullptr, submitted::waited_for);
    wait_as_thread(call, forever);
  }
  return nullptr;
}

// Cancelling may come from any thread: so, like a pending's, the call is sent
// and waited for, and nobody may cancel it before it is admitted.
HOTPLATE_NOINLINE inline worker* core::invoke(invocation& call, worker* here,
                                              const std::stop_token& stop) {
  if (stop.stop_requested() && !call.thrown) call.thrown = is_cancelled(call);
  const admission answer = admit(call, here, time_);
  if (answer == admission::refused) return wait_or_leave(call, here);
  if (answer == admission::granted) send_to_worker(call, here);
  const std::uint64_t generation = call.generation();
  const std::stop_callback cancelling(
      stop, [&]() noexcept { cancel(call, generation, errc::cancelled); });
  return wait_or_leave(call, here);
}

inline void core::start(invocation& call, worker* here) noexcept {
  start(call, here, time_.now(), submitted::alone);
}
inline void core::start(invocation& call, worker* here, std::int64_t now,
                        submitted how) noexcept {
  if (admit(call, here, moment{now}) == admission::granted) {
    send_to_worker(call, here, how);
  }
}

// May it run now? `clock` is read once it has entered: before, entering would
// wait for it, and the clock's time would not pass with other work.
template <typename Clock>
inline core::admission core::admit(invocation& call, worker* here,
                                   const Clock& clock) noexcept {
  follow_caller(call, here);
  const bool barred =
      call.thrown != nullptr || draining_.load(std::memory_order_relaxed) ||
      (call.parent != nullptr && call.parent->has(invocation::claimed));
  if (barred) [[unlikely]] {
    arrive(call, clock.now());
    return bar(call);
  }
  const gate* const full = enter(call, here);
  arrive(call, clock.now());
  if (full != nullptr) [[unlikely]]
    return line_up(call, here, *full);
  // seq_cst, as entering was: see is_gone().
  if (call.version->removed()) [[unlikely]]
    return shut_out(call);
  return admission::granted;
}

HOTPLATE_NOINLINE inline core::admission core::bar(invocation& call) noexcept {
  if (call.thrown == nullptr) {
    call.thrown = draining_.load(std::memory_order_relaxed)
                      ? is_draining(call)
                      : is_cancelled(call);
  }
  if (call.is.has_args && is_gone(call)) drop_args(call);
  refuse(call, std::move(call.thrown));
  return admission::refused;
}

// Which worker? The caller's own, at once, where it is a handler that waits.
HOTPLATE_NOINLINE inline worker* core::run_directly(invocation& call,
                                                    worker& here) {
  if (here.on_root()) [[unlikely]] {
    enter_queue(call);
    refuse(call, is_pumping(call));
    wait_for_end(call);
    return &here;
  }
  if (call.stack_class == no_stack) [[unlikely]] {
    send_to_worker(call, &here);
    return wait_or_leave(call, &here);
  }
  invocation* const self = call.parent;
  fiber& caller = here.current();
  caller.open_parting();
  call.caller.store(&caller, std::memory_order_relaxed);
  call.is.direct = true;
  // Nobody else claims it before enter_queue().
  call.state.store(
      call.state.load(std::memory_order_relaxed) | invocation::stands,
      std::memory_order_relaxed);
  enter_queue(call);
  if (self != nullptr) {
    step_out(*self, call.arrived);
    self->awaited.store(&call, std::memory_order_release);
  }
  if (!here.run_now(call)) refuse_fiber(call, here);
  worker& now_on = *caller.home();
  // A plain worker's thread has no fiber that would be resumed only then.
  while (now_on.is_plain() && !call.has(invocation::settled)) {
    now_on.run_ready();
  }
  if (self == nullptr) [[unlikely]] {
    now_on.set_running(nullptr);
    return &now_on;
  }
  self->awaited.store(nullptr, std::memory_order_release);
  // Unless it was answered early, this very moment is when it ended.
  go_on(*self, now_on, call.is.early ? time_.now() : call.settled_at);
  return &now_on;
}

HOTPLATE_NOINLINE inline void core::send_to_worker(invocation& call,
                                                   worker* here,
                                                   submitted how) noexcept {
  enter_queue(call);
  if (call.stack_class == no_stack) {
    if (!threads_.blocking().submit(call)) refuse(call, lacks_thread(call));
  } else if (!threads_.submit(call, here, how)) {
    refuse(call, is_out_of_memory(call, "to queue it"));
  }
}

// On a fiber of the worker, from here on.
inline fiber* core::run(task& self, worker& on) {
  auto& call = static_cast<invocation&>(self);
  core& engine = *call.engine;
  lease on_loan;
  on.set_running(&call);
  if (!call.moves) [[likely]]
    call.memory.draw_on(on.chunks());
  if (engine.begin(call)) [[likely]]
    engine.call_handler(call, on, on_loan);
  if (call.moves) [[unlikely]]
    return engine.finish(call, *engine.threads_.here(), on_loan);
  return engine.finish(call, on, on_loan);
}

inline bool core::begin(invocation& call) noexcept {
  const std::int64_t now = call.is.direct ? call.arrived : time_.now();
  if (call.has(invocation::claimed)) return false;
  if (now > call.deadline.load(std::memory_order_relaxed)) [[unlikely]] {
    expire(call, call.generation(), now, true);
    return false;
  }
  call.started.store(now, std::memory_order_relaxed);
  return true;
}

// The only place that catches what handlers throw.
HOTPLATE_INLINE void core::call_handler(invocation& call, worker& on,
                                        lease& on_loan) noexcept {
  try {
    if (!take_instance(call, on, on_loan)) return;
    call.shape->run(on_loan.state(), call.handlers_view, call.args,
                    call.result);
    call.is.has_result = true;
  } catch (const invocation_cancelled&) {
    call.is.verdict = errc::cancelled;
  } catch (const undecodable& why) {
    call.thrown = cannot_decode(call, why.reason);
  } catch (const std::exception& why) {
    call.thrown = handler_threw(call, why.what());
  } catch (...) {
    call.thrown = handler_threw(call, "not a std::exception");
  }
}

// Warm or cold?
HOTPLATE_INLINE bool core::take_instance(invocation& call, worker& on,
                                         lease& on_loan) {
  instance_pool& pool = call.version->instances;
  const std::int64_t now = call.started.load(std::memory_order_relaxed);
  instance* const warm = pool.take_own(on.seat(), now);
  if (warm == nullptr) [[unlikely]]
    return take_elsewhere(call, on, on_loan, now);
  call.start.store(warm->start.load(std::memory_order_relaxed),
                   std::memory_order_relaxed);
  on_loan.hold(pool, *warm);
  // Else its bound on waiting is already the handler's own.
  if (now != call.arrived) bound_handler(call, now);
  enter_handler(call, now);
  return true;
}

HOTPLATE_NOINLINE inline bool core::take_elsewhere(invocation& call,
                                                   const worker& on,
                                                   lease& on_loan,
                                                   std::int64_t now) {
  instance_pool& pool = call.version->instances;
  instance_shard* const home = pool.reserve_own(on.seat());
  instance* const idle = home == nullptr ? take_idle(call, now) : nullptr;
  if (idle != nullptr) {
    pool.note(now, false);
    on_loan.hold(pool, *idle);
  } else if (!start_cold(call, on_loan, home, now)) {
    return false;
  }
  bound_handler(call, now);
  enter_handler(call, now);
  return true;
}

// What did it cost? What can be used again is given back before the caller is
// answered, so that its next invocation finds it.
HOTPLATE_INLINE fiber* core::finish(invocation& call, worker& on,
                                    lease& on_loan) noexcept {
  if (call.is.has_args) call.shape->destroy_args(call.args);
  const std::int64_t now = time_.now();
  judge(call, now);
  const bool won = call.claim(threads_.fence());
  const bool warm = won && (call.is.verdict == errc::ok ||
                            leaves_instance_sound(call.is.verdict));
  const bool ends = call.loan == nullptr
                        ? on_loan.give_back(on.seat(), now, warm)
                        : on_loan.give_back_shared(call.loan, now, warm);
  if (ends) [[unlikely]]
    part_with(call, on, on_loan);
  call.memory.release();
  if (!won) [[unlikely]] {
    count_overrun(call, now);
    share_place_back(call, &on);
    on.set_running(nullptr);
    return answer(call, &on, invocation::ended);
  }
  call.settled_at = now;
  if (call.is.verdict != errc::ok) [[unlikely]] {
    call.is.untidy = true;
    call.failure = std::move(call.thrown);
  }
  // The place last: who sees nothing in flight finds everything counted.
  meter(call, &on);
  give_place_back(call, &on);
  if (call.is.direct) return answer_directly(call, on);
  on.set_running(nullptr);
  return answer(call, &on, invocation::ended | invocation::settled);
}

// Its instance ends once the caller is answered: on this fiber, or on another
// for one who stands still on this worker. Who pumps waits for this anyway.
HOTPLATE_NOINLINE inline void core::part_with(const invocation& call,
                                              worker& on,
                                              lease& on_loan) noexcept {
  if (threads_.pumped()) return on_loan.end();
  if (call.is.direct) return on_loan.leave_end_to_others();
  on.go_on_as(on_loan.owner());
}

// How its caller waits is written by now; pairs with cancel_made(), which must
// not answer before.
inline void core::enter_queue(invocation& call) noexcept {
  call.reached.store(stage::queue, std::memory_order_release);
}

inline void core::enter_init(invocation& call, start_kind how,
                             std::int64_t now) noexcept {
  call.start.store(how, std::memory_order_relaxed);
  call.reached.store(stage::init, std::memory_order_relaxed);
  call.deadline.store(std::min(call.bound, now + longest_init),
                      std::memory_order_release);
}

inline void core::enter_handler(invocation& call, std::int64_t now) noexcept {
  call.handler_started.store(now, std::memory_order_relaxed);
  call.reached.store(stage::handler, std::memory_order_relaxed);
}

inline void core::bound_handler(invocation& call, std::int64_t now) noexcept {
  call.deadline.store(std::min(call.bound, now + timeout_of(call)),
                      std::memory_order_release);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
