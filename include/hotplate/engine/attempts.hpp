#pragma once

#include <algorithm>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/by_name.hpp"
#include "hotplate/engine/continuation.hpp"
#include "hotplate/engine/post_office.hpp"
#include "hotplate/engine/then.hpp"

// Attempts: how they start, what their end means, when the next one is.

namespace hotplate::inline HOTPLATE_ABI::detail {

// An exception destroys the follow-up, which is all that there is to do.
inline void post_office::attempt(owned_event event, payload bytes) noexcept
    try {
  follow_up next(*this, std::move(event));
  const stored_event& what = *next.event;
  const invoke_options options{.tenant = what.tenant,
                               .trigger = what.trigger,
                               .attempt = what.attempts + 1,
                               .trace = what.trace};
  invocation* const call =
      prepare_encoded(engine_, what.function, bytes, options, engine_.here());
  if (call == nullptr) return;
  call->event = what.id;
  call->is.untidy = true;
  // Not as a handler's own: its deadline and its end are not the event's.
  engine_.start(*call, nullptr);
  pending<payload>(*call).then(std::move(next)).detach();
} catch (...) {
}

inline void post_office::settle(stored_event& event, outcome<payload>& ended) {
  const errc code = ended.code();
  event.last_code = code;
  event.last_error = ended ? std::string() : ended.error().message;
  const bool is_hosts = code == errc::throttled || code == errc::draining ||
                        code == errc::resource_exhausted;
  if (is_hosts || ended.usage().start == start_kind::none) {
    ++event.postponed;
  } else {
    ++event.attempts;
    event.postponed = 0;
  }
  if (ended) return succeed(event, std::move(ended).value());
  fail_or_retry(event);
}

inline bool post_office::is_permanent(errc code) noexcept {
  return code == errc::not_found || code == errc::bad_event ||
         code == errc::no_codec || code == errc::event_too_large;
}

inline void post_office::fail_or_retry(stored_event& event) {
  const retry_policy policy = policy_of(event);
  const time_point now = engine_.now(), end = event.sent + policy.max_age;
  if (is_permanent(event.last_code)) {
    fail(event, failed_because::refused);
  } else if (event.attempts >= policy.max_attempts) {
    fail(event, failed_because::attempts_used_up);
  } else if (now >= end) {
    fail(event, failed_because::too_old);
  } else if (!wait_until(event, std::min(now + backoff(event, policy), end))) {
    fail(event, failed_because::draining);
  }
}

inline retry_policy post_office::policy_of(const stored_event& event) const {
  const version_record* const version = version_of(event.function, event.id);
  return version == nullptr ? retry_policy{} : version->config.retry;
}

// Full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015), drawn from
// the event's number, so that virtual time repeats itself. Real engines mix in
// their own, for theirs must not retry in step.
inline std::chrono::nanoseconds post_office::backoff(
    const stored_event& event, const retry_policy& policy) const noexcept {
  const std::int64_t longest =
      std::chrono::nanoseconds(policy.longest_backoff).count();
  std::int64_t most = std::chrono::nanoseconds(policy.first_backoff).count();
  const std::uint32_t tries = event.attempts + event.postponed;
  for (std::uint32_t i = 1; i < tries && most < longest; ++i) most *= 2;
  most = std::min(most, longest);
  const std::uint64_t seed =
      engine_.config().clock != nullptr ? 0 : engine_.identity_;
  const std::uint64_t drawn = mix(seed ^ (event.id * 1024 + tries));
  return std::chrono::nanoseconds(drawn %
                                  (static_cast<std::uint64_t>(most) + 1));
}

// False if it never will, because nothing is attempted any more.
inline bool post_office::wait_until(stored_event& event, time_point due) {
  event.due = due;
  store_.update(event);
  const lock_guard hold(lock_);
  if (closed_) return false;
  ++(event.postponed > 0 ? counted_.postponed : counted_.retried);
  add_due(core::as_count(due), event.id);
  return true;
}

// Under lock_; there is room (I2).
inline void post_office::add_due(std::int64_t when, event_id id) noexcept {
  due_.push_back({when, ++waits_, id});
  std::push_heap(due_.begin(), due_.end());
  arm();
}

// Whatever went wrong with it was the host's memory, or its event store.
inline void post_office::keep_trying(event_id id) noexcept {
  const lock_guard hold(lock_);
  if (closed_) {
    letters_.push_back(id);  // There is room (I2).
    count_end(false);
    ++undelivered_;
    return;
  }
  ++counted_.postponed;
  add_due(engine_.clock_now() + a_while, id);
}

// Under lock_. A sweep arms when it is done.
inline void post_office::arm() noexcept {
  engine_.events_due_.store(static_cast<std::int64_t>(due_.size()),
                            std::memory_order_relaxed);
  if (due_.empty()) {
    engine_.threads_.timers().disarm(timer_);
    armed_for_ = forever;
  } else if (!sweeping_ && armed_for_ != due_.front().when) {
    arm_for(due_.front().when);
  }
}

// Under lock_. Without memory for it, whoever arms next tries again.
inline void post_office::arm_for(std::int64_t when) noexcept {
  const bool armed =
      engine_.threads_.arm(timer_, when, timer_order::completion);
  armed_for_ = armed ? when : forever;
}

/// Starts what is due: not on the thread that looks after time.
struct post_office::sweep : link {
  using stored_result = nothing;

  explicit sweep(post_office& its) noexcept : office(its) {}
  static void run(void*, context&, void* args, void*) {
    static_cast<sweep*>(args)->office.launch_due();
  }

  post_office& office;
};

inline void post_office::fire(void* self, std::uint64_t,
                              std::int64_t) noexcept {
  auto& office = *static_cast<post_office*>(self);
  core& engine = office.engine_;
  invocation* next = nullptr;
  {
    // Counted by the engine before close() has the lock: it then waits for it.
    const lock_guard hold(office.lock_);
    office.armed_for_ = forever;
    if (office.closed_ || office.sweeping_) return;
    next = continuations::make<sweep, nothing>(
        engine, follower_shape<sweep>, way::on_the_pool, office.module,
        [&](void* place) { new (place) sweep(office); });
    if (next == nullptr) return office.arm_for(engine.clock_now() + a_while);
    office.sweeping_ = true;
  }
  continuations::insist(*next);
  engine.leave(*next, engine.here());
  continuations::start(*next);
}

inline void post_office::launch_due() noexcept {
  while (const event_id id = take_due()) {
    if (owned_event event = take_out(id)) launch(std::move(event));
  }
}

// 0 if nothing is due, which ends the sweep.
inline event_id post_office::take_due() noexcept {
  const lock_guard hold(lock_);
  if (due_.empty() || due_.front().when > engine_.clock_now()) {
    sweeping_ = false;
    arm();
    return 0;
  }
  const event_id id = due_.front().id;
  std::pop_heap(due_.begin(), due_.end());
  due_.pop_back();
  arm();
  return id;
}

// Null if it cannot be read, now or at all.
inline post_office::owned_event post_office::take_out(event_id id) noexcept
    try {
  auto event = make_owned<stored_event>();
  if (store_.read(id, *event)) return event;
  const lock_guard hold(lock_);
  count_end(false);
  return nullptr;
} catch (...) {
  keep_trying(id);
  return nullptr;
}

inline void post_office::launch(owned_event event) noexcept try {
  const time_point end = event->sent + policy_of(*event).max_age;
  if (engine_.now() > end) {
    follow_up next(*this, std::move(event));
    fail(*next.event, failed_because::too_old);
    next.event.reset();
    return;
  }
  payload bytes(std::exchange(event->event, {}));
  attempt(std::move(event), std::move(bytes));
} catch (...) {  // As in attempt().
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
