#pragma once

#include <exception>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/handler_view.hpp"

// The life of an invocation, from top to bottom. A caller opens a record, aims
// it at a version and places the arguments (typed.hpp), and then:

namespace hotplate::inline HOTPLATE_ABI::detail {

inline void core::invoke(invocation& call, worker* here) {
  if (!admit(call, here)) return;
  if (here != nullptr) return run_directly(call, *here);
  if (threads_.pumped()) return run_pumping(call);
  send_to_worker(call, nullptr);
  wait_as_thread(call, forever);
}

inline void core::start(invocation& call, worker* here) noexcept {
  if (admit(call, here)) send_to_worker(call, here);
}

// May it run now?
inline bool core::admit(invocation& call, worker* here) noexcept {
  call.arrived = time_.now();
  bound_by(call, here);
  const bool barred =
      call.thrown != nullptr || draining_.load(std::memory_order_relaxed) ||
      (call.parent != nullptr && call.parent->has(invocation::claimed));
  if (barred) [[unlikely]]
    return bar(call);
  call.reached.store(stage::admission, std::memory_order_relaxed);
  if (const gate* const full = call.permit.enter(limit_, call.target->limit))
      [[unlikely]] {
    return refuse(call, is_throttled(call, *full, full == &limit_)), false;
  }
  call.reached.store(stage::queue, std::memory_order_relaxed);
  return true;
}

inline bool core::bar(invocation& call) noexcept {
  if (call.thrown == nullptr) {
    call.thrown = draining_.load(std::memory_order_relaxed)
                      ? is_draining(call)
                      : is_cancelled(call);
  }
  refuse(call, std::move(call.thrown));
  return false;
}

// Which worker? The caller's own, at once, where it is a handler that waits.
inline void core::run_directly(invocation& call, worker& here) {
  if (here.on_root()) return refuse(call, is_pumping(call));
  invocation* const self = call.parent;
  call.waiter.store(&here.current(), std::memory_order_relaxed);
  call.direct = true;
  if (self != nullptr) self->awaited.store(&call, std::memory_order_release);
  if (!here.run_now(call)) refuse_fiber(call, here);
  if (self == nullptr) return;
  self->awaited.store(nullptr, std::memory_order_release);
  // Unless it was answered early, this very moment is when it ended.
  close_wait(*self, here, call.arrived,
             call.early ? time_.now() : call.settled_at);
}

inline void core::send_to_worker(invocation& call, worker* here) noexcept {
  const bool sent = here != nullptr && !here->on_root() ? here->push(call)
                                                        : threads_.submit(call);
  if (!sent) refuse(call, is_out_of_memory(call, "to queue it"));
}

// From here on, on a fiber of the worker.
inline fiber* core::run(task& self, worker& on) {
  auto& call = static_cast<invocation&>(self);
  core& engine = *call.engine;
  lease on_loan;
  on.set_running(&call);
  call.on.store(&on.current(), std::memory_order_relaxed);
  if (engine.begin(call)) engine.call_handler(call, on_loan);
  return engine.finish(call, on, on_loan);
}

inline bool core::begin(invocation& call) noexcept {
  const std::int64_t now = call.direct ? call.arrived : time_.now();
  if (call.has(invocation::claimed)) return false;
  if (now > call.deadline.load(std::memory_order_relaxed)) {
    expire(call, call.generation(), now);
    return false;
  }
  call.started.store(now, std::memory_order_relaxed);
  return true;
}

// Warm or cold?
inline void core::take_instance(invocation& call, lease& on_loan) {
  instance_pool& pool = call.version->instances;
  const std::int64_t now = call.started.load(std::memory_order_relaxed);
  if (instance* const warm = pool.take_warm(now)) [[likely]] {
    call.start.store(start_kind::warm, std::memory_order_relaxed);
    on_loan.hold(pool, *warm);
    return enter_handler(call, now);
  }
  enter_init(call, now);
  on_loan.hold(pool, *pool.make());
  enter_handler(call, time_.now());
}

// The only place that catches what handlers throw.
inline void core::call_handler(invocation& call, lease& on_loan) noexcept {
  handler_view view(call);
  try {
    take_instance(call, on_loan);
    context ctx(view, call.memory);
    call.shape->run(on_loan.state(), ctx, call.args, call.result);
    call.has_result = true;
  } catch (const invocation_cancelled&) {
    call.verdict = errc::cancelled;
  } catch (const undecodable& why) {
    call.thrown = cannot_decode(call, why.reason);
  } catch (const std::exception& why) {
    call.thrown = handler_threw(call, why.what());
  } catch (...) {
    call.thrown = handler_threw(call, "not a std::exception");
  }
}

// What did it cost? Everything is given back before the caller is answered, so
// that its next invocation finds it.
inline fiber* core::finish(invocation& call, worker& on,
                           lease& on_loan) noexcept {
  const std::int64_t now = time_.now();
  judge(call, now);
  const bool won = call.claim(call.generation());
  if (call.has_args) call.shape->destroy_args(call.args);
  on_loan.give_back(now, won && leaves_instance_sound(call.verdict));
  if (won) [[likely]]
    conclude(call, now);
  call.memory.release();
  call.permit.give_back();
  on.set_running(nullptr);
  if (won) [[likely]] {
    meter(call, &on);
    return answer(call, &on, invocation::ended | invocation::settled);
  }
  count_overrun(call, now);
  return answer(call, &on, invocation::ended);
}

inline void core::conclude(invocation& call, std::int64_t now) noexcept {
  write_usage(call, call.verdict, now, call.used);
  call.used.arena_peak_bytes = call.memory.used();
  call.settled_at = now;
  if (call.thrown) [[unlikely]]
    call.failure = std::move(call.thrown);
  if (call.encoded && call.has_result) {
    call.used.response_bytes = call.response_size();
  }
}

inline void core::refuse_fiber(task& self, worker&) noexcept {
  auto& call = static_cast<invocation&>(self);
  core& engine = *call.engine;
  engine.refuse(call, is_out_of_memory(call, "for a stack"));
}

// Before all that, and on the way:

inline invocation* core::open(const invoke_options& options,
                              worker* here) noexcept {
  invocation* const call = records_.take(here);
  if (call == nullptr) return nullptr;
  call->engine = this;
  call->options = options;
  call->target = nullptr;
  call->version = nullptr;
  call->direct = call->early = call->encoded = false;
  call->has_args = call->has_result = false;
  call->verdict = errc::ok;
  call->parent = nullptr;
  call->event_bytes = 0;
  call->started.store(invocation::never, std::memory_order_relaxed);
  call->handler_started.store(invocation::never, std::memory_order_relaxed);
  call->suspended.store(0, std::memory_order_relaxed);
  call->reached.store(stage::arrival, std::memory_order_relaxed);
  call->start.store(start_kind::none, std::memory_order_relaxed);
  call->deadline.store(forever, std::memory_order_relaxed);
  call->bound = as_count(options.deadline);
  // release: who sees the new generation sees these values; pairs with
  // generation().
  call->state.store((call->generation() + 1) << invocation::generation_shift,
                    std::memory_order_release);
  return call;
}

inline void core::aim(invocation& call, function_record& target,
                      version_record& version) noexcept {
  call.target = static_cast<deployed_function*>(&target);
  call.version = static_cast<deployed_version*>(&version);
  call.run = &core::run;
  call.refuse = &core::refuse_fiber;
  call.stack_class = call.version->stack_class;
}

// A nested invocation inherits its caller's deadline; the nearer one wins. The
// bound on waiting to start is the function's timeout.
inline void core::bound_by(invocation& call, worker* here) noexcept {
  if (here != nullptr && !here->on_root()) {
    if (auto* const parent = static_cast<invocation*>(here->running())) {
      call.parent = parent;
      call.parent_generation = parent->generation();
      call.bound = std::min(call.bound,
                            parent->deadline.load(std::memory_order_relaxed));
    }
  }
  const std::int64_t longest = call.version != nullptr ? timeout_of(call) : 0;
  call.deadline.store(std::min(call.bound, call.arrived + longest),
                      std::memory_order_release);
}

inline void core::enter_init(invocation& call, std::int64_t now) noexcept {
  call.start.store(start_kind::cold, std::memory_order_relaxed);
  call.reached.store(stage::init, std::memory_order_relaxed);
  call.deadline.store(std::min(call.bound, now + longest_init),
                      std::memory_order_release);
}

inline void core::enter_handler(invocation& call, std::int64_t now) noexcept {
  call.handler_started.store(now, std::memory_order_relaxed);
  call.reached.store(stage::handler, std::memory_order_relaxed);
  call.deadline.store(std::min(call.bound, now + timeout_of(call)),
                      std::memory_order_release);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
