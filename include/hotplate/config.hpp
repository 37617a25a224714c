#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/clock.hpp"
#include "hotplate/function_config.hpp"
#include "hotplate/log.hpp"
#include "hotplate/meter.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {
struct overflow_watch;
}  // namespace detail

class event_store;

/// How an engine is set up. Every field is checked by its constructor.
struct engine_config {
  /// Threads that run handlers. 0 makes the engine host-pumped: the host runs
  /// it with `poll()`, `run_until()` or `run_until_idle()`, one thread at a
  /// time. invoke() and get() pump, too, if nobody does; else they wait for who
  /// does, and go on pumping should that one leave off before they are
  /// answered. So a thread that invokes between another's polls moves a manual
  /// clock.
  int workers = hardware_threads;

  /// Most threads beyond `workers` that serve while handlers hold workers: that
  /// go on although their invocation is over, or that block their thread. Not
  /// for host-pumped engines.
  int max_spare_threads = 16;

  /// Most threads for functions that are `blocking`, 1 to 1,024; they start
  /// when needed, and end after a second without work. Further invocations
  /// queue.
  int max_blocking_threads = 64;

  /// Most threads of the host in invoke_here at once, 1 to 1,024.
  int max_guest_threads = 64;

  /// Bind each worker to one of the CPUs that the process may use, in turn.
  bool pin_workers = false;

  /// What threads are called in debuggers: name/0, name/1 ..., name/s0 ... for
  /// spare ones, name/watch. 1 to 9 characters.
  std::string name = "hotplate";

  /// At least 1: most invocations in flight at once, overruns included.
  std::int64_t max_concurrency = 1'000;

  /// Most invocations in flight at once of any one tenant for which
  /// engine::limit_tenant() sets no limit of its own; 0: not limited.
  std::int64_t max_concurrency_per_tenant = 0;

  /// At least 1: most tenants with invocations in flight at once, as far as
  /// tenants are limited at all.
  std::int64_t max_tenants = 10'000;

  /// The memory (function_config::memory) that all instances may have together,
  /// at least 128 MiB; 0: any. Where a cold start would need more, idle
  /// instances are evicted, those unused longest first, but for those that
  /// `min_instances` and `provisioned` keep; if that is not enough, it is
  /// `throttled`.
  mebibytes instance_memory{0};

  /// Of calls by name; what goes through a handle has no size to limit.
  std::size_t max_event_bytes = 6 << 20;
  std::size_t max_response_bytes = 6 << 20;

  /// Most memory held at once by payloads that handlers made in arenas, in
  /// flight and in outcomes; 0 to 2^50 bytes, counted in whole chunks (powers
  /// of two). Who needs more ends `resource_exhausted`.
  std::size_t max_held_response_bytes = std::size_t{1} << 30;

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

  /// Memory of stacks, arenas and records of invocations that was not needed
  /// for a quarter to half a second goes back to the system; what is needed
  /// next after such a lull then costs page faults. If false, it stays until
  /// the engine ends.
  bool gives_memory_back = true;

  /// Time that the host moves; needs `workers` = 0, must outlive the engine.
  manual_clock* clock = nullptr;

  /// Receive the usage of every invocation; must outlive the engine, or be
  /// removed before. More of them: engine::add_meter().
  std::vector<meter*> meters = {};

  /// Receives what handlers log at `least_log_level` or above; must outlive the
  /// engine.
  log_sink* logs = nullptr;
  log_level least_log_level = log_level::info;

  /// An overflow_report, to have stack overflows named before they end the
  /// process; must outlive the engine. See overflow_report.hpp.
  const detail::overflow_watch* overflows = nullptr;

  /// Keeps sent events instead of the engine's memory; must outlive the engine.
  event_store* events = nullptr;

  static constexpr int hardware_threads = -1;
};

/// How one invocation is made. Views need to live until the call returns.
struct invoke_options {
  /// The caller's own bound on waiting, init and handler together.
  time_point deadline = no_deadline;
  std::string_view tenant = {};  ///< For limits and meters; at most 64 bytes.
  hotplate::trigger trigger = hotplate::trigger::direct;
  std::uint32_t attempt = 1;
  /// Keep the last 4 KiB that the handler logs, for outcome::log().
  bool keep_log = false;
  /// Cancels a blocking call; pendings have cancel().
  std::stop_token stop = {};
  /// The trace that the call is part of: W3C's `traceparent`, or whatever of at
  /// most 128 bytes the host uses; not read, only carried, to the handler, to
  /// meters and to what the handler invokes or sends. Where it is empty, a
  /// handler's call has its caller's.
  std::string_view trace = {};
};

}  // namespace hotplate::inline HOTPLATE_ABI
