#pragma once

#include <sched.h>

#include <cstdio>
#include <exception>
#include <vector>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/glimpse.hpp"
#include "hotplate/engine/pumping.hpp"

// The end of an engine, and the watchdog's look at those who run too long.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline bool core::inspect(void* self, std::int64_t now) {
  auto& engine = *static_cast<core*>(self);
  bool any = false;
  for (std::size_t i = 0; i < engine.threads_.indices(); ++i) {
    const worker* const one = engine.threads_.at(i);
    if (one == nullptr) continue;
    auto* const call = static_cast<invocation*>(one->running());
    if (call == nullptr) continue;
    any = true;
    // Generation first: a deadline read after it is at least as new. The record
    // may be another invocation's by now, which nobody may claim before how its
    // caller waits is written: pairs with enter_queue().
    const std::uint64_t generation = call->generation();
    if (call->deadline.load(std::memory_order_acquire) <= now &&
        call->reached.load(std::memory_order_acquire) != stage::arrival) {
      engine.expire(*call, generation, now);
    }
    const std::uint64_t state = call->state.load(std::memory_order_acquire);
    if ((state & invocation::settled) != 0 &&
        (state & invocation::ended) == 0 && !engine.meters_.empty()) {
      engine.watch_overrun(i, *call, state >> invocation::generation_shift,
                           now);
    }
  }
  engine.threads_.spare_threads().look_after(
      now, [](const task& running) noexcept {
        return static_cast<const invocation&>(running).has(invocation::claimed);
      });
  return engine.trim(now) || any;
}

inline drain_report core::drain(std::chrono::nanoseconds within) {
  if (is_forked()) return {};
  draining_.store(true, std::memory_order_seq_cst);
  stop_sending();
  wait_for_handlers(as_count(after(now(), within)));
  drain_report report;
  report.undelivered = stop_sending();
  if (!busy()) return report;
  report.dropped = cancel_all(errc::draining);
  // Whoever was suspended ends now; those who compute are left.
  constexpr std::int64_t grace = 20'000'000;
  wait_for_handlers(time_.now() + grace);
  report.running = still_running();
  report.undelivered = stop_sending();
  return report;
}

// seq_cst: either it finds who sends, or that one finds the engine draining.
inline std::uint64_t core::stop_sending() noexcept {
  sender* const events = sender_.load(std::memory_order_seq_cst);
  return events == nullptr ? 0 : events->close(*events);
}

inline core::~core() {
  if (threads_.here() != nullptr) {
    std::fputs("hotplate: an engine was destroyed by one of its handlers\n",
               stderr);
    std::terminate();
  }
  draining_.store(true, std::memory_order_seq_cst);
  stop_sending();
  cancel_all(errc::draining);
  constexpr std::int64_t second = 1'000'000'000;
  while (busy()) {
    wait_for_handlers(time_.now() + second);
    cancel_all(errc::draining);  // Continuations may have started meanwhile.
    if (in_flight() == 0) {
      sched_yield();  // To a continuation's executor.
    } else {
      name_one_running();
    }
  }
  close_instances();
  threads_.stop();
  sender* const events = sender_.load(std::memory_order_relaxed);
  if (events != nullptr) events->destroy(*events);
  module_use* user = users_.load(std::memory_order_relaxed);
  while (user != nullptr) delete std::exchange(user, user->next);
}

// Instances end on fibers, as long as there are some to run them.
inline void core::close_instances() {
  deployed_version* closing = nullptr;
  names_.for_each([&](function_record& each) {
    registry::see_versions(each, [&](version_record& version) {
      auto& closed = static_cast<deployed_version&>(version);
      if (!closed.instances.close(retire_reason::shutdown)) return;
      closed.next_closing = std::exchange(closing, &closed);
    });
  });
  for (; closing != nullptr; closing = closing->next_closing) {
    wait_until_empty(closing->instances);
  }
}

inline void core::wait_until_empty(const instance_pool& pool) {
  const pumping pump(threads_);
  constexpr timespec nap{0, 50'000};
  constexpr std::int64_t second = 1'000'000'000;
  std::int64_t named_after = monotonic_now() + second;
  while (!pool.is_empty()) {
    if (monotonic_now() >= named_after) {
      named_after += second;
      const std::string_view function = pool.function();
      std::fprintf(stderr,
                   "hotplate: waiting for instances of function %.*s to end\n",
                   static_cast<int>(function.size()), function.data());
    }
    if (!pump) {
      nanosleep(&nap, nullptr);
    } else if (!pump_once(*pump)) {
      return;
    }
  }
}

inline void core::wait_for_handlers(std::int64_t until) {
  constexpr timespec nap{0, 200'000};
  while (busy() && time_.now() < until) {
    const pumping pump(threads_);
    if (!pump) {
      // Called from within the pump, nothing that it waits for can go on.
      if (threads_.pumped() && threads_.here() != nullptr) return;
      nanosleep(&nap, nullptr);
    } else if (!pump_once(*pump) && !pump_next_timer(*pump, until)) {
      return;
    }
  }
}

/// Cancels every one that has not settled. False if others are still being
/// made: what their callers write cannot be read yet.
inline bool core::cancel_made(errc why, std::uint64_t& dropped) {
  bool all = true;
  records_.for_each([&](invocation& call) {
    if (call.has(invocation::claimed) || call.is_to_continue()) return;
    const std::uint64_t generation = call.generation();
    // acquire: pairs with the releases in enter_queue() (or, of one that waits
    // for a place, in arrive()) and in continuations::call().
    const bool made =
        (call.deadline.load(std::memory_order_acquire) != forever &&
         call.reached.load(std::memory_order_acquire) != stage::arrival) ||
        call.started.load(std::memory_order_acquire) != invocation::never;
    if (made && cancel(call, generation, why)) ++dropped;
    all = all && made;
  });
  return all;
}

inline std::uint64_t core::cancel_all(errc why) {
  std::uint64_t dropped = 0;
  // Those that are just being made are started, or refused, in a moment.
  for (int i = 0; i < 1'000 && !cancel_made(why, dropped); ++i) sched_yield();
  return dropped;
}

// Takes no memory: a destructor must not want any.
inline void core::name_one_running() noexcept {
  bool named = false;
  const std::int64_t now = time_.now();
  see_running([&](const glimpse& seen, const request_id&) {
    if (std::exchange(named, true)) return;
    std::fprintf(stderr,
                 "hotplate: waiting for function %s to end, %.1f s after it "
                 "was invoked\n",
                 seen.target->name.c_str(),
                 static_cast<double>(seen.age(now)) / 1e9);
  });
}

inline std::vector<running_handler> core::still_running() {
  std::vector<running_handler> list;
  const std::int64_t now = time_.now();
  see_running([&](const glimpse& seen, const request_id& id) {
    list.push_back(
        {seen.target->name, id, std::chrono::nanoseconds(seen.age(now))});
  });
  return list;
}

template <typename See>
void core::see_running(const See& see) {
  records_.for_each([&](invocation& call) {
    const std::uint64_t state = call.state.load(std::memory_order_acquire);
    if ((state & invocation::ended) != 0) return;
    if (call.start.load(std::memory_order_relaxed) == start_kind::none) return;
    const std::uint64_t generation = state >> invocation::generation_shift;
    const glimpse seen(call);
    if (!seen.still_is(call, generation)) return;
    see(seen, {identity_, (std::uint64_t{call.slot} << 32) | generation});
  });
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
