#pragma once

#include <chrono>

#include "hotplate/clock.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// How long unused instances of a function stay warm, where a fixed time
/// (function_config::keep_alive) will not do: learnt from its invocations, say,
/// or by the hour of the day. It only prolongs or ends the time of instances
/// that are there; `provisioned` makes them ahead, and what that and
/// `min_instances` keep it is not asked for.
/// A function's clock is its engine's: with a manual one the same happens
/// again. A function with a policy takes a lock for every invocation, and the
/// next two calls; one without pays nothing. Thread safety: called
/// concurrently, by whichever thread runs the invocation; for one instance
/// on_idle() and tick() alternate. No lock of the engine's is held meanwhile,
/// but the invocation waits: a call must not block for long, suspend, or invoke
/// functions. Lifetime: the engine keeps it as long as the function's version.
class keep_alive_policy {
 public:
  keep_alive_policy() = default;
  keep_alive_policy(const keep_alive_policy&) = delete;
  keep_alive_policy& operator=(const keep_alive_policy&) = delete;
  virtual ~keep_alive_policy() = default;

  /// An invocation that started at `now` has an instance, or, if it is `cold`,
  /// is about to make one (or copy it from a snapshot).
  virtual void on_invoke(time_point now, bool cold) noexcept = 0;

  /// An instance is idle from `now` on: its last invocation has ended, or it
  /// was made ahead. Returns how long it is to be kept, if nobody uses it: from
  /// 0, it ends at once, to 365 days, which more is taken for.
  virtual std::chrono::nanoseconds on_idle(time_point now) noexcept = 0;

  /// That time is over. Returns how much longer it is to be kept, from `now`
  /// on; 0, as by default, ends it. Each time costs the idle engine a wake-up.
  virtual std::chrono::nanoseconds tick(
      time_point /*now*/, std::chrono::nanoseconds /*idle*/) noexcept {
    return std::chrono::nanoseconds(0);
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
