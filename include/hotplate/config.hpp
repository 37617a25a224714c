#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/clock.hpp"
#include "hotplate/log.hpp"
#include "hotplate/meter.hpp"
#include "hotplate/retry.hpp"

namespace hotplate::inline HOTPLATE_ABI {

class event_store;

/// A size in units of 1,048,576 bytes: what functions are configured in.
struct mebibytes {
  std::uint32_t count = 0;

  constexpr std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(count) << 20;
  }
  friend constexpr auto operator<=>(mebibytes, mebibytes) = default;
};

namespace literals {
consteval mebibytes operator""_MiB(unsigned long long count) {
  return {static_cast<std::uint32_t>(count)};
}
}  // namespace literals

/// How one function is run. Every field is checked by `deploy`.
struct function_config {
  /// 128 to 10,240 MiB: the hard cap of an invocation's arena, and the GB of
  /// its GB-seconds. Heap use outside the arena is not seen.
  mebibytes memory{128};

  /// 1 ms to 900 s: wall time one invocation may take, from the start of the
  /// handler; also how long it may wait to start. At the deadline the caller is
  /// answered, and the handler is thrown out at its next suspension point. One
  /// that never suspends runs on as an overrun.
  std::chrono::milliseconds timeout{3'000};

  /// At least 1: most invocations of this function in flight at once, overruns
  /// included. Further ones wait if `max_waiting` allows it, else they are
  /// `throttled`.
  std::int64_t max_concurrency = 1'000;

  /// Places taken out of the engine's `max_concurrency` for this function
  /// alone, which then has these and no others: 0 switches it off,
  /// without_reservation leaves it among the others.
  std::int64_t reserved_concurrency = without_reservation;

  /// Most invocations of this function that wait for a place when a limit (the
  /// function's, its tenant's or the engine's) is reached; first come, first
  /// served. None waits longer than `timeout`. 0: throttled at once.
  std::int64_t max_waiting = 0;

  /// How long an unused instance stays warm; 0 keeps none.
  std::chrono::milliseconds keep_alive{600'000};

  /// Instances that stay, once made, however long nobody uses them.
  std::int64_t min_instances = 0;

  /// Most instances at once, those that are being destroyed included; an
  /// invocation that would need one more is `throttled`. 0: any number.
  std::int64_t max_instances = 0;

  /// Instances made ahead, one after another in the background, from `deploy`
  /// on. They stay as `min_instances` do, and one that fails or is used up is
  /// replaced. Invocations beyond them start cold.
  std::int64_t provisioned = 0;

  /// Invocations that an instance serves before it is destroyed; 0: any number.
  std::int64_t max_uses = 0;

  /// Initialise one instance and copy it for each further one (start kind
  /// `restored`). For classes that can be copied, also by several threads at
  /// once.
  bool snapshot = false;

  /// 16 KiB to 64 MiB: address space of a handler's stack, rounded up to a
  /// power of two. Resident is only what is touched.
  std::size_t stack_bytes = 256 * 1024;

  /// Read-only values by name, for instances and handlers; at most 4,096 bytes
  /// together.
  std::map<std::string, std::string, std::less<>> environment = {};

  /// Of events that are sent to it (hotplate/send.hpp).
  retry_policy retry = {};

  /// Functions that are sent a `delivery` of each such event that succeeded, or
  /// failed for good. Empty: none; what fails is a dead letter.
  std::string on_success = {};
  std::string on_failure = {};

  static constexpr std::int64_t without_reservation = -1;
};

/// How an engine is set up. Every field is checked by its constructor.
struct engine_config {
  /// Threads that run handlers. 0 makes the engine host-pumped: the host runs
  /// it with `poll()`, `run_until()` or `run_until_idle()`.
  int workers = hardware_threads;

  /// At least 1: most invocations in flight at once, overruns included.
  std::int64_t max_concurrency = 1'000;

  /// Most invocations in flight at once of any one tenant for which
  /// `limit_tenant` sets no limit of its own; 0: not limited.
  std::int64_t max_concurrency_per_tenant = 0;

  /// At least 1: most tenants with invocations in flight at once, as far as
  /// tenants are limited at all.
  std::int64_t max_tenants = 10'000;

  std::size_t max_event_bytes = 6 << 20;
  std::size_t max_response_bytes = 6 << 20;

  /// Of an event that is sent, which may not exceed `max_event_bytes` either.
  std::size_t max_async_event_bytes = 1 << 20;

  /// Sent events that wait for an attempt or are in one; more are `throttled`.
  std::int64_t max_queued_events = 100'000;

  /// Above it, the dead letter that died first is dropped.
  std::int64_t max_dead_letters = 10'000;

  /// Idempotency keys remembered; an event with one more is `throttled`.
  std::int64_t max_event_keys = 1'000'000;

  /// How long an idle worker, and a thread waiting for an outcome, looks for
  /// news before it sleeps. Waking a sleeper costs some 5 to 25 microseconds.
  std::chrono::microseconds spin{20};

  /// Time that the host moves; needs `workers` = 0, must outlive the engine.
  manual_clock* clock = nullptr;

  /// Receive the usage of every invocation; must outlive the engine.
  std::vector<meter*> meters = {};

  /// Receives what handlers log at `least_log_level` or above; must outlive the
  /// engine.
  log_sink* logs = nullptr;
  log_level least_log_level = log_level::info;

  /// Keeps sent events instead of the engine's memory; must outlive the engine.
  event_store* events = nullptr;

  static constexpr int hardware_threads = -1;
};

/// How one invocation is made. Views need to live until the call returns.
struct invoke_options {
  /// The caller's own bound on waiting, init and handler together.
  time_point deadline = no_deadline;
  std::string_view tenant = {};  ///< For usage and meters.
  hotplate::trigger trigger = hotplate::trigger::direct;
  std::uint32_t attempt = 1;
  /// Keep the last 4 KiB that the handler logs, for outcome::log().
  bool keep_log = false;
  /// Cancels a blocking call; pendings have cancel().
  std::stop_token stop = {};
};

}  // namespace hotplate::inline HOTPLATE_ABI
