#pragma once

// Long because: it is all that a continuation is, with its invariants.

#include <exception>
#include <new>
#include <type_traits>
#include <utility>

#include "hotplate/engine/access.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/registry/handler.hpp"

// What follows an invocation: an ordinary task of the pool, whose record is
// that of an invocation, so that it waits, nests and ends as handlers do. It
// belongs to no function, is not admitted and not metered.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What every continuation keeps first: it is told by what it follows.
struct link : watcher {
  invocation* next = nullptr;
  /// Whose outcome it takes, until it has; null if others take it.
  invocation* source = nullptr;
  /// Of one with an executor: gives that the continuation.
  void (*pass_on)(link& self, continuation&& handed) noexcept = nullptr;
};

/// Where it runs.
enum class way : std::uint8_t { on_the_pool, on_executor };

/// I1: whoever takes `followed` out of the record decides: its own side, which
///     then runs it, or its caller's, after which it never runs.
/// I2: it has ended when its own side has run it, or seen that it shall not; or
///     when the caller's side has taken it off its source in time.
/// I3: a chain may be longer than any stack: what ends one that follows another
///     goes on to that in a loop, not from within a destructor; nor does who is
///     refused tell who follows it.
/// Stress: tests/stress/continuation_stress_test.cpp
struct continuations {
  /// A record for `shape`, code of `whose`, whose arguments `construct(place)`
  /// makes; null where memory is out. What `construct` throws passes.
  template <typename Args, typename Result, typename Construct>
  static invocation* make(core& engine, const call_shape& shape, way run,
                          module_id whose, const Construct& construct) {
    invocation* const next = open(engine, run, whose);
    if (next == nullptr) return nullptr;
    try {
      next->make_room<Args, Result>(engine.chunks(), most_memory);
      construct(next->args);
    } catch (...) {
      end(*next, nullptr, errc::cancelled);
      engine.leave(*next, engine.here());
      throw;
    }
    next->shape = &shape;
    next->is.has_args = shape.destroy_args != nullptr;
    return next;
  }

  /// Has it run once `source` has settled. Its caller's side may be gone, and
  /// all of it, when this returns.
  static void follow(invocation& next, link& by, invocation& source) noexcept {
    by.tell = next.engine->code_.go_on;
    by.next = &next;
    if (source.labels.any()) core::inherit_trace(next, source);
    next.followed_generation.store(source.generation(),
                                   std::memory_order_relaxed);
    next.followed.store(&source, std::memory_order_release);
    if (!source.watch(by)) dispatch(next);
  }

  /// Has one that follows nothing run as soon as a worker can.
  static void start(invocation& next) noexcept {
    next.followed.store(&next, std::memory_order_release);
    dispatch(next);
  }

  /// The caller's side leaves, of any invocation. A continuation that has not
  /// run never will.
  static void drop(invocation& next) noexcept {
    core& engine = *next.engine;
    const std::int64_t ended = drop_all(&next);
    if (ended > 0) {
      engine.continuations_.fetch_sub(ended, std::memory_order_release);
    }
  }

  /// Runs it on the calling thread, which an executor has chosen.
  static void call_here(invocation& next) noexcept {
    scheduler& threads = next.engine->threads_;
    worker* here = threads.here();
    const bool on_fiber = here != nullptr && !here->on_root();
    task* const before = on_fiber ? here->running() : nullptr;
    if (on_fiber) here->set_running(&next);
    call(next);
    if (on_fiber) here = threads.here();  // Which may have changed meanwhile.
    end(next, here, next.is.verdict);
    if (on_fiber) here->set_running(before);
  }

  // The ways to run it:

  static fiber* on_the_pool(task& self, worker& on) noexcept {
    auto& next = static_cast<invocation&>(self);
    on.set_running(&next);
    call(next);
    on.set_running(nullptr);
    return end(next, &on, next.is.verdict);
  }

  /// The continuation may have ended before the executor's code has.
  static fiber* on_executor(task& self, worker& on) noexcept {
    auto& next = static_cast<invocation&>(self);
    on.set_running(nullptr);
    link& by = *static_cast<link*>(next.args);
    module_use& user = *next.user;
    user.enter();
    by.pass_on(by, continuation(next));
    user.leave();
    return nullptr;
  }

  /// The executor is the last member of Args, and moves out of there.
  template <typename Args>
  static void pass_on(link& self, continuation&& handed) noexcept {
    auto where = std::move(static_cast<Args&>(self).where);
    try {
      where(std::move(handed));
    } catch (...) {  // Then nobody calls it, and it ends as such.
    }
  }

  /// Runs it, if it may still run.
  static void call(invocation& next) noexcept {
    const bool wanted =
        next.followed.exchange(nullptr, std::memory_order_acq_rel) != nullptr;
    if (!wanted || (next.has(invocation::claimed) && !must_run(next))) {
      next.is.verdict = errc::cancelled;
      return;
    }
    // After the look: an engine that ends cancels those that have started, and
    // no other.
    const std::int64_t now = next.engine->clock_now();
    next.handler_started.store(now, std::memory_order_relaxed);
    // release: publishes what its maker wrote; pairs with core::cancel_made().
    next.started.store(now, std::memory_order_release);
    const running here(next.engine->continuing_);
    try {
      next.shape->run(nullptr, next.handlers_view, next.args, next.result);
      next.is.has_result = true;
    } catch (const invocation_cancelled&) {
      next.is.verdict = errc::cancelled;
    } catch (const std::exception& why) {
      fail(next, handler_threw(next, why.what()));
    } catch (...) {
      fail(next, handler_threw(next, "not a std::exception"));
    }
  }

  /// It has run, or never will. The engine may be gone when this returns.
  /// Whoever is to be told of it is left to the caller who asks for them.
  static fiber* end(invocation& next, worker* here, errc verdict,
                    watcher** untold = nullptr) noexcept {
    core& engine = *next.engine;
    const std::int64_t ended = 1 + drop_all(close(next, here, verdict, untold));
    engine.continuations_.fetch_sub(ended, std::memory_order_release);
    return nullptr;
  }

  /// One that must run whatever happens: a coroutine would stay suspended.
  static void insist(invocation& next) noexcept {
    next.refuse = next.engine->code_.run_anyway;
  }

 private:
  friend class core;

  // Each takes the outcome of the next one. Returns how many have ended.
  static std::int64_t drop_all(invocation* next) noexcept {
    std::int64_t ended = 0;
    while (next != nullptr) next = drop_one(*next, ended);
    return ended;
  }

  // Returns whose outcome it would have taken, if it has ended.
  static invocation* drop_one(invocation& next, std::int64_t& ended) noexcept {
    core& engine = *next.engine;
    invocation* const before =
        next.is_continuation()
            ? next.followed.exchange(nullptr, std::memory_order_acq_rel)
            : nullptr;
    invocation* source = nullptr;
    if (before != nullptr && before->unwatch(next.followed_generation.load(
                                 std::memory_order_relaxed))) {
      source = close(next, engine.here(), errc::cancelled, nullptr);
      ++ended;
    }
    engine.leave(next, engine.here());
    return source;
  }

  // Returns whose outcome it has not taken: that is still to be dropped, before
  // this one counts as ended.
  static invocation* close(invocation& next, worker* here, errc verdict,
                           watcher** untold) noexcept {
    core& engine = *next.engine;
    invocation* source = nullptr;
    if (next.is.has_args) {
      source = std::exchange(static_cast<link*>(next.args)->source, nullptr);
      next.shape->destroy_args(next.args);
    }
    next.memory.release();
    next.followed.store(nullptr, std::memory_order_relaxed);
    static_cast<task&>(next) = engine.code_.handling;
    std::uint64_t flags = invocation::ended;
    if (next.claim()) {
      next.is.verdict = verdict;
      next.settled_at = engine.clock_now();
      if (verdict != errc::ok) next.failure = std::move(next.thrown);
      if (verdict != errc::ok && !next.failure) {
        next.failure = is_cancelled(next);
      }
      flags |= invocation::settled;
    }
    engine.answer(next, here, flags, untold);
    return source;
  }

  struct running {
    explicit running(std::atomic<std::int64_t>& those) noexcept : count(those) {
      count.fetch_add(1, std::memory_order_relaxed);
    }
    running(const running&) = delete;
    running& operator=(const running&) = delete;
    ~running() { count.fetch_sub(1, std::memory_order_relaxed); }
    std::atomic<std::int64_t>& count;
  };
  static constexpr std::size_t most_memory = 128 << 20;
  static constexpr std::size_t stack_bytes = 256 * 1024;

  static invocation* open(core& engine, way where, module_id whose) noexcept {
    module_use* const user = engine.use_of(whose);
    if (user == nullptr) return nullptr;
    invocation* const next =
        engine.open(nullptr, nullptr, {}, engine.threads_.here());
    if (next == nullptr) return nullptr;
    const resident_code& code = engine.code_;
    static_cast<task&>(*next) =
        where == way::on_the_pool ? code.continuing : code.continuing_elsewhere;
    user->enter();
    next->user = user;
    static_cast<fiber_kind&>(*next) = {stack_pool::class_of(stack_bytes)};
    next->is.untidy = true;
    next->bound = invocation::continues;
    core::show(next->arrived, engine.clock_now());
    next->reached.store(stage::handler, std::memory_order_relaxed);
    engine.continuations_.fetch_add(1, std::memory_order_relaxed);
    return next;
  }

  static void tell(watcher& by) noexcept {
    dispatch(*static_cast<link&>(by).next);
  }

  // Where one is refused, whoever follows it mostly is as well.
  static void dispatch(invocation& first) noexcept {
    void (*const go_on)(watcher&) noexcept = first.engine->code_.go_on;
    invocation* next = &first;
    while (next != nullptr) {
      scheduler& threads = next->engine->threads_;
      if (threads.submit(*next, threads.here())) return;
      if (must_run(*next)) return next->refuse(*next, *threads.at(0));
      watcher* untold = nullptr;
      refuse(*next, &untold);
      if (untold == nullptr) return;
      if (untold->tell != go_on) return untold->tell(*untold);
      next = static_cast<link*>(untold)->next;
    }
  }

  // There is no memory to queue it, or for its stack.
  static void refuse(task& self, worker&) noexcept {
    refuse(static_cast<invocation&>(self), nullptr);
  }
  static void refuse(invocation& next, watcher** untold) noexcept {
    fail(next, is_out_of_memory(next, "to run it"));
    end(next, next.engine->threads_.here(), next.is.verdict, untold);
  }

  // On the calling stack, which is the lesser evil.
  static void run_anyway(task& self, worker&) noexcept {
    auto& next = static_cast<invocation&>(self);
    call(next);
    end(next, next.engine->threads_.here(), next.is.verdict);
  }
  static bool must_run(const invocation& next) noexcept {
    return next.refuse == next.engine->code_.run_anyway;
  }

  static void fail(invocation& next, failure why) noexcept {
    next.is.verdict = why->code;
    next.thrown = std::move(why);
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
