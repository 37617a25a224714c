#pragma once

#include <algorithm>
#include <limits>

#include "hotplate/engine/account.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

// How an invocation ends: once, whoever is first.

namespace hotplate::inline HOTPLATE_ABI::detail {

HOTPLATE_NOINLINE inline owned<made_error> spare_errors::take(
    core& engine) noexcept {
  return engine.spare_errors_.make();
}
HOTPLATE_NOINLINE inline failure spare_errors::share(const core& engine,
                                                     errc code) noexcept {
  return engine.spare_errors_.share(code);
}

// The handler's side has ended; what is its outcome, if nobody was faster?
HOTPLATE_INLINE void core::judge(invocation& call, std::int64_t now) noexcept {
  const std::int64_t deadline = call.deadline.load(std::memory_order_relaxed);
  const bool plain = call.is.has_result && !call.is.encoded;
  if (plain && now <= deadline && !call.memory.refused()) [[likely]]
    return;
  judge_closely(call, now, deadline);
}

HOTPLATE_NOINLINE inline void core::judge_closely(
    invocation& call, std::int64_t now, std::int64_t deadline) noexcept {
  if (call.is.encoded && call.is.has_result) {
    call.response_bytes = static_cast<const payload*>(call.result)->size();
  }
  if (call.memory.exhausted()) {
    call.thrown = used_up_memory(call);
  } else if (call.memory.starved()) {
    call.thrown = is_out_of_memory(call, "for the arena");
  } else if (call.memory.crowded() != 0) {
    call.thrown = holds_too_much(call, config_.max_held_response_bytes);
  } else if (now > deadline) {
    call.thrown = has_timed_out(call, deadline);
  } else if (call.is.verdict == errc::cancelled) {
    call.thrown = is_cancelled(call);
  } else if (call.is.has_result &&
             call.response_bytes > config_.max_response_bytes) {
    call.thrown = is_too_large(call, errc::response_too_large,
                               call.response_bytes, config_.max_response_bytes);
  }
  if (call.thrown) call.is.verdict = call.thrown->code;
}

// The waiter stands still on this worker, and goes on at once. Claimed by us,
// so nobody else changes the state, or needs to see it change in one piece.
HOTPLATE_INLINE fiber* core::answer_directly(invocation& call,
                                             worker& here) noexcept {
  constexpr std::uint64_t all = invocation::settled | invocation::ended;
  fiber* const waiter = call.caller.load(std::memory_order_relaxed);
  if (waiter->home() != &here) [[unlikely]]
    return answer(call, &here, all);
  call.state.store(call.state.load(std::memory_order_relaxed) | all,
                   std::memory_order_release);
  return waiter;
}

// Publishes `flags` and finds who is to go on. The record may be gone when this
// returns: whoever sets the last of its three final flags recycles it. Whoever
// watches is told, or given to the caller who asks for them.
HOTPLATE_NOINLINE inline fiber* core::answer(invocation& call, worker* here,
                                             std::uint64_t flags,
                                             watcher** untold) noexcept {
  const bool direct = call.is.direct;
  fiber* const waiter = call.caller.load(std::memory_order_relaxed);
  // release: publishes usage and result; acquire: sees the waiter.
  const std::uint64_t before =
      call.state.fetch_or(flags, std::memory_order_acq_rel);
  if (invocation::is_last(before, before | flags)) {
    recycle(call, here);
    return nullptr;
  }
  if ((flags & invocation::settled) == 0) return nullptr;
  if ((before & invocation::thread_waits) != 0) {
    futex_wake(&call.state, std::numeric_limits<int>::max());
  }
  if (direct) {
    worker& home = *waiter->home();
    if (here == &home) return waiter;
    // A thread that pumps looks by itself.
    if (!waiter->owns_thread() || home.is_plain()) home.post(*waiter);
  } else if ((before & invocation::fiber_waits) != 0) {
    // Read only now, when it is sure to be there. Should the record be in use
    // again, this wakes somebody in vain, who then looks and waits again.
    wake(call.caller.load(std::memory_order_relaxed),
         call.wait_number.load(std::memory_order_relaxed));
  } else if ((before & invocation::watched) != 0) {
    // The caller's side stays until it has been told.
    watcher& by = *call.watching;
    untold == nullptr ? by.tell(by) : static_cast<void>(*untold = &by);
  }
  return nullptr;
}

// Settles it although its handler has not ended, or has never started.
inline void core::settle_early(invocation& call, failure why, std::int64_t now,
                               bool has_ended) noexcept {
  call.used = usage_of(call, why->code, now);
  std::chrono::nanoseconds& suspended = call.used.suspended;
  if (suspended.count() < 0) suspended += std::chrono::nanoseconds(now + 1);
  // It waited for another's instance to end.
  if (call.used.reached != stage::handler) suspended = {};
  call.settled_at = now;
  call.is.early = call.is.untidy = true;
  call.failure = std::move(why);
  if (!call.is_continuation()) meter(call, nullptr);
  if (has_ended) {
    give_place_back(call, threads_.here());
  } else {
    call.count_as_overrun(1);
    share_place_back(call, threads_.here());
  }
  answer(
      call, nullptr,
      invocation::settled | (has_ended ? std::uint64_t{invocation::ended} : 0));
}

// It never got to its handler.
inline void core::refuse(invocation& call, failure why) noexcept {
  const bool won = call.claim();
  if (call.is.has_args) call.shape->destroy_args(call.args);
  call.caller.store(nullptr, std::memory_order_relaxed);
  // Not written in vain: whoever cancels it meanwhile reads it in answer().
  if (call.is.direct) call.is.direct = false;
  if (won) {
    const std::int64_t now = time_.now();
    if (call.arrived == invocation::never) show(call.arrived, now);
    settle_early(call, std::move(why), now, true);
  } else {
    call.count_as_overrun(-1);
    share_place_back(call, threads_.here());
    answer(call, nullptr, invocation::ended);
  }
}

inline void core::refuse_fiber(task& self, worker&) noexcept {
  auto& call = static_cast<invocation&>(self);
  core& engine = *call.engine;
  engine.refuse(call, is_out_of_memory(call, "for a stack"));
}

// Whoever waits for this one first: it must not go on as if it had time.
inline void core::expire(invocation& call, std::uint64_t generation,
                         std::int64_t now, bool its_own) noexcept {
  invocation* late = nullptr;  // By next_free, the outermost in front.
  for (invocation* each = &call; each != nullptr;) {
    const std::int64_t deadline =
        each->deadline.load(std::memory_order_acquire);
    if (now < deadline) break;
    const bool mine = its_own && each == &call;
    if (!(mine ? each->claim() : each->claim(generation, threads_.fence()))) {
      break;
    }
    each->next_free = std::exchange(late, each);
    generation = each->parent_generation;
    each = each->is.direct ? each->parent : nullptr;
  }
  while (late != nullptr) {
    invocation& each = *std::exchange(late, late->next_free);
    const std::int64_t deadline = each.deadline.load(std::memory_order_relaxed);
    settle_unfinished(each, has_timed_out(each, deadline), now);
  }
}

struct core::awaited_one {
  invocation* call = nullptr;
  std::uint64_t generation = 0;
};

// With what it waits for, and that one: first claimed, then settled from the
// last one on, so that nobody goes on before what it waits for has settled. Not
// by recursion, for a chain may be longer than a stack.
inline bool core::cancel(invocation& call, std::uint64_t generation,
                         errc why) noexcept {
  invocation* claimed = nullptr;  // By next_free, the last one in front.
  for (awaited_one next{&call, generation};
       next.call != nullptr &&
       next.call->claim(next.generation, threads_.fence());) {
    next.call->next_free = std::exchange(claimed, next.call);
    next = wake_suspended(*next.call);
  }
  const bool any = claimed != nullptr;
  while (claimed != nullptr) {
    invocation& each = *std::exchange(claimed, claimed->next_free);
    settle_unfinished(each,
                      is_ended_by(each, &each == &call ? why : errc::cancelled),
                      time_.now());
  }
  return any;
}

// Its handler goes on, unless it still waited for a place.
inline void core::settle_unfinished(invocation& call, failure why,
                                    std::int64_t now) noexcept {
  disown(call);
  const bool waited = withdraw(call);
  if (waited && call.is.has_args) call.shape->destroy_args(call.args);
  settle_early(call, std::move(why), now, waited);
}

// A cancelled handler that is suspended is to meet its cancellation now; or
// what it waits for is, which is returned.
inline core::awaited_one core::wake_suspended(invocation& call) noexcept {
  if (invocation* const before =
          call.followed.load(std::memory_order_acquire)) {
    return {before, call.followed_generation.load(std::memory_order_relaxed)};
  }
  // seq_cst: pairs with the fence in open_wait().
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (invocation* const child = call.awaited.load(std::memory_order_acquire)) {
    const std::uint64_t generation = child->generation();
    // Still awaited after the look, so that generation is the child's.
    if (call.awaited.load(std::memory_order_acquire) == child) {
      return {child, generation};
    }
    return {};
  }
  const std::uint32_t wait = call.sleep_number.load(std::memory_order_acquire);
  if (wait != 0) wake(call.on.load(std::memory_order_relaxed), wait);
  return {};
}

inline void core::count_overrun(invocation& call, std::int64_t now) noexcept {
  call.count_as_overrun(-1);
  if (call.start.load(std::memory_order_relaxed) == start_kind::none) return;
  overruns_.fetch_add(1, std::memory_order_relaxed);
  // Being settled at this moment: no time to speak of.
  if (!call.has(invocation::settled)) return;
  overrun_ns_.fetch_add(std::max<std::int64_t>(0, now - call.settled_at),
                        std::memory_order_relaxed);
}

HOTPLATE_INLINE void core::leave(invocation& call, worker* here) noexcept {
  constexpr std::uint64_t others = invocation::settled | invocation::ended;
  std::uint64_t before = call.state.load(std::memory_order_acquire);
  if ((before & others) != others) {
    before = call.state.fetch_or(invocation::left, std::memory_order_acq_rel);
    if ((before & others) != others) return;
  }
  recycle(call, here);
}

HOTPLATE_INLINE void core::recycle(invocation& call, worker* here) noexcept {
  if (call.is.untidy || call.is.stoppable) [[unlikely]]
    tidy(call);
  std::atomic_ref(call.version).store(nullptr, std::memory_order_release);
  records_.give(call, here);
}

HOTPLATE_NOINLINE inline void core::tidy(invocation& call) noexcept {
  if (call.is.has_result && call.shape->destroy_result != nullptr) {
    call.shape->destroy_result(call.result);
  }
  if (call.result_alignment != 0) {
    ::operator delete (
        call.result, std::align_val_t{std::exchange(call.result_alignment, 0)});
  }
  call.failure.reset();
  call.thrown.reset();
  call.log.take();
  call.event = 0;
  delete call.stopper.exchange(nullptr, std::memory_order_relaxed);
  call.memory.release();
  if (call.memory.scrubs()) overwrite(call.space.begin(), call.space.end());
  if (call.user != nullptr) std::exchange(call.user, nullptr)->leave();
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
