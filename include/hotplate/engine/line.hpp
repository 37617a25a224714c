#pragma once

#include <algorithm>
#include <exception>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/lobby.hpp"
#include "hotplate/engine/pump.hpp"
#include "hotplate/engine/pumping.hpp"
#include "hotplate/engine/wait.hpp"

// How they wait who stand in line. What suspend.hpp shows is built on it.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Wakes who stands in a line of one as soon as an invocation has settled.
struct bell : watcher {
  lobby* at = nullptr;
  line* waiting = nullptr;
  std::size_t* told = nullptr;  // Under the lobby's guard.

  static void ring(watcher& by) noexcept {
    const bell self = static_cast<bell&>(by);
    summons to;
    {
      const lock_guard hold(self.at->guard());
      ++*self.told;
      if (!self.waiting->empty()) to = self.at->serve_first(*self.waiting);
    }
    lobby::deliver(to);
  }
};

inline bool lobby::awaited(const line& of) noexcept {
  if (engine_.is_forked()) return false;
  const lock_guard hold(guard_);
  return !of.empty();
}

inline void lobby::deliver(const summons& to) noexcept {
  if (to.on != nullptr) {
    to.engine->wake(to.on, to.wait);
  } else if (to.word != nullptr) {
    futex_wake(to.word, 1);
  }
}

inline std::uint32_t lobby::stand(line& in, guest& self, worker* here,
                                  std::int64_t until, bool must) {
  const bool on_fiber = here != nullptr && !here->on_root();
  if (on_fiber) {
    here = suspend(self, here, until, must);
  } else if (engine_.threads_.pumped()) {
    pump(self, until);
  } else {
    block(self, until);
  }
  {
    // Whoever served may still hold the guard, in memory that is ours to end.
    const lock_guard hold(guard_);
    const std::uint32_t answer = self.served.load(std::memory_order_relaxed);
    if (answer != 0) return answer;
    in.leave(self);
  }
  if (on_fiber) {
    engine_.throw_if_over(here);
  } else if (until == forever) {
    throw bad_outcome(*make_error(
        engine_, errc::stalled, {},
        "this thread cannot go on: nothing is ready and no timer is armed in "
        "this host-pumped engine"));
  }
  return 0;
}

// Runs once the fiber has been left: only now may it be woken.
inline void lobby::publish(void* argument) noexcept {
  const parting left = *static_cast<parting*>(argument);
  {
    const lock_guard hold(left.guard);
    if (left.self.served.load(std::memory_order_relaxed) == 0) {
      left.self.on = &left.on;
      left.self.wait = left.wait;
      return;
    }
  }
  if (left.on.wake(left.wait)) left.on.home()->resume(left.on);
}

inline worker* lobby::suspend(guest& self, worker* here, std::int64_t until,
                              bool must) {
  if (here->running() == nullptr) {
    return suspend_alone(self, *here, must || until == forever);
  }
  auto& call = *static_cast<invocation*>(here->running());
  while (self.served.load(std::memory_order_acquire) == 0) {
    const bool over = call.has(invocation::claimed);
    if (over && !(must && std::uncaught_exceptions() > 0)) break;
    const std::int64_t left_at = engine_.time_.now();
    if (left_at >= until) break;
    core::step_out(call, left_at);
    fiber& on = here->current();
    // One that is over has no deadline to be woken by any more.
    parting left{guard_, self, on,
                 over ? on.arm() : engine_.open_wait(call, on, until)};
    if (over) {
      here->suspend({engine_.code_.publish_guest, &left});
    } else {
      core::suspend(call, *here, left.wait,
                    {engine_.code_.publish_guest, &left});
    }
    here = on.home();
    engine_.close_wait(call, *here, engine_.time_.now());
  }
  return here;
}

// What is made ahead or ends belongs to no invocation: it has nobody's timers
// to wait with, and stays on its worker.
inline worker* lobby::suspend_alone(guest& self, worker& here, bool must) {
  while (must && self.served.load(std::memory_order_acquire) == 0) {
    fiber& on = here.current();
    parting left{guard_, self, on, on.arm()};
    here.suspend({&publish, &left});
    here.set_running(nullptr);
  }
  return &here;
}

inline void lobby::block(guest& self, std::int64_t until) noexcept {
  while (self.served.load(std::memory_order_acquire) == 0 &&
         (until == forever || engine_.time_.now() < until)) {
    futex_wait(&self.served, 0, until);
  }
}

// Another thread may pump, or serve; nobody tells a thread that pumps, so it
// looks every millisecond.
inline void lobby::pump(guest& self, std::int64_t until) {
  constexpr std::int64_t nap = 1'000'000;
  const bool manual = engine_.config_.clock != nullptr;
  while (self.served.load(std::memory_order_acquire) == 0) {
    const std::int64_t now = engine_.time_.now();
    if (now >= until) return;
    const pumping pump(engine_.threads_);
    if (!pump) {
      futex_wait(&self.served, 0, monotonic_now() + nap);
    } else if (!engine_.pump_once(*pump)) {
      const std::int64_t next = manual ? until : std::min(until, now + nap);
      if (engine_.pump_next_timer(*pump, next) || !manual) continue;
      if (engine_.time_.now() < until) return;
    }
  }
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
