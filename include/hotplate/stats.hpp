#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hotplate/base/owned.hpp"
#include "hotplate/config.hpp"
#include "hotplate/error.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Measured values, as counts in ranges; times are in nanoseconds.
class distribution {
 public:
  std::uint64_t count() const noexcept { return count_; }

  /// The value below which a share `q` (0 to 1) of all lies, at most 3.2 % off:
  /// the middle of its range. 0 if nothing was measured.
  std::uint64_t quantile(double q) const {
    if (count_ == 0) return 0;
    const auto rank =
        static_cast<std::uint64_t>((q < 0   ? 0
                                    : q > 1 ? 1
                                            : q) *
                                   static_cast<double>(count_ - 1));
    std::uint64_t below = 0;
    for (const range& each : ranges_) {
      below += each.count;
      if (below > rank) return each.from + (each.to - each.from) / 2;
    }
    return ranges_.back().from;
  }

  /// `count` more values in [from, to); ranges do not overlap.
  void add(std::uint64_t from, std::uint64_t to, std::uint64_t count) {
    std::size_t at = ranges_.size();
    while (at > 0 && ranges_[at - 1].from >= from) --at;
    if (at == ranges_.size() || ranges_[at].from != from) {
      detail::insert_at(ranges_, at, range{from, to, 0});
    }
    ranges_[at].count += count;
    count_ += count;
  }

 private:
  struct range {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t count = 0;
  };

  std::vector<range> ranges_;  // Ascending.
  std::uint64_t count_ = 0;
};

/// Instances that one version had provisioned, for as long as it was live or an
/// alias's, whether they had been made yet or not.
struct reservation {
  std::uint32_t version = 0;
  std::uint32_t memory_mib = 0;  ///< Of each.
  std::int64_t instances = 0;
  std::chrono::nanoseconds time{0};  ///< Up to now, of one that has not ended.
  bool ended = false;

  double gb_seconds() const noexcept {
    return memory_mib / 1024.0 * static_cast<double>(instances) *
           std::chrono::duration<double>(time).count();
  }
};

/// One function and what it has done so far, all its versions together.
struct function_stats {
  std::string name;
  std::uint32_t version = 0;  ///< The live one; 0 once removed.
  std::string signature;      ///< Of the handler, as the compiler spells it.
  function_config config;     ///< Of the live version; shares its policy.

  std::array<std::uint64_t, errc_count> by_code{};  ///< Settled, by outcome.
  std::uint64_t cold = 0;
  std::uint64_t warm = 0;
  std::uint64_t provisioned = 0;
  std::uint64_t provisioned_warm = 0;
  std::uint64_t restored = 0;
  std::int64_t in_flight = 0;  ///< Admitted and not ended, overruns included.
  std::int64_t peak_in_flight = 0;
  std::uint64_t instances = 0;       ///< Live now, idle or in use.
  std::uint64_t evicted = 0;         ///< Instances, for others' memory.
  std::uint64_t failed_ends = 0;     ///< Instances whose destructor threw.
  std::chrono::nanoseconds idle{0};  ///< Instance time spent warm, waiting.

  std::chrono::milliseconds billed{0};
  double gb_seconds = 0;
  distribution queued, init, duration, running, suspended;
  distribution arena_peak;  ///< Bytes.

  /// Every time that provisioned instances were reserved, as bills want it:
  /// charge() rounds each. One that began when memory was out is missing.
  std::vector<reservation> reservations;

  /// The most of one stack that any invocation, cold start or end of an
  /// instance has touched, in whole pages from the top, where the engine itself
  /// takes up to a page; of function_config::stack_bytes. Pages that are
  /// swapped out at the moment are not seen. 0 without `measure_stack`.
  std::size_t stack_peak_bytes = 0;

  /// Ran on provisioned instances; and beyond them, where there are some.
  std::uint64_t on_provisioned() const noexcept {
    return provisioned + provisioned_warm;
  }
  std::uint64_t on_demand() const noexcept { return cold + warm + restored; }

  /// GB times seconds reserved, up to now and not rounded.
  double provisioned_gb_seconds() const noexcept {
    double sum = 0;
    for (const reservation& each : reservations) sum += each.gb_seconds();
    return sum;
  }

  std::uint64_t count(errc code) const noexcept {
    return by_code[static_cast<std::size_t>(code)];
  }
  std::uint64_t invocations() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : by_code) sum += count;
    return sum;
  }
  std::uint64_t errors() const noexcept {
    return invocations() - count(errc::ok);
  }
};

/// One tenant that is limited and was seen, or that has a limit of its own.
struct tenant_stats {
  std::string name;
  std::int64_t in_flight = 0;
  std::int64_t peak_in_flight = 0;
  std::int64_t limit = 0;
};

/// Events that were sent. An event ends once, succeeded or failed; one that is
/// replayed ends once more.
struct event_stats {
  std::uint64_t sent = 0;   ///< Accepted: by `send`, or for a destination.
  std::uint64_t known = 0;  ///< Sent again with a known key, and not accepted.
  std::uint64_t replayed = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t retried = 0;    ///< Times one failed and is to be tried again.
  std::uint64_t postponed = 0;  ///< The same, but that used up no attempt.
  std::uint64_t dropped = 0;    ///< Dead letters, by the host or for others.
  std::int64_t queued = 0;      ///< Now: wait for an attempt or are in one.
  std::int64_t dead = 0;        ///< Now: dead letters.
  /// Now: have ended, but their event_store could not erase them yet.
  std::int64_t unerased = 0;
};

/// The engine as a whole.
struct engine_stats {
  std::uint64_t invocations = 0;  ///< Settled.
  std::uint64_t not_found = 0;    ///< Of these, without a function.
  std::int64_t in_flight = 0;
  std::int64_t peak_in_flight = 0;
  std::int64_t waiting = 0;             ///< For a place; not in flight.
  std::uint64_t overruns = 0;           ///< Settled before their handler ended.
  std::chrono::nanoseconds overrun{0};  ///< Time they then still took.
  std::uint64_t meter_failures = 0;     ///< Callbacks of meters that threw.
  std::uint64_t log_failures = 0;       ///< Lines at which the log_sink threw.
  std::size_t spare_threads = 0;  ///< Running now, for workers that are held.
  std::uint64_t spare_threads_started = 0;
  std::size_t stacks = 0;              ///< In use, or kept for reuse.
  std::size_t arena_mapped_bytes = 0;  ///< Address space held for arenas.
  std::size_t arena_growths = 0;       ///< Times the kernel was asked for it.
  /// Now, of payloads that handlers made in arenas: whole chunks.
  std::size_t held_response_bytes = 0;
  // Of engine_config::instance_memory; not counted without it.
  mebibytes instance_memory;       ///< Of all instances now.
  mebibytes instance_memory_peak;  ///< The most it ever was.
  std::uint64_t evictions = 0;     ///< Instances that had to go for it.
  event_stats events;
};

/// A handler that still runs although its invocation has been answered.
struct running_handler {
  std::string function;
  request_id id;
  std::chrono::nanoseconds age{0};  ///< Since its invocation arrived.
};

/// How a drain ended.
struct drain_report {
  std::uint64_t dropped = 0;  ///< Invocations answered `draining` at the end.
  std::vector<running_handler> running;  ///< Handlers that did not end in time.
  /// Sent events that are dead letters because the engine was drained first.
  std::uint64_t undelivered = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI
