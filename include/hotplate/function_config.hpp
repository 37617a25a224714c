#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "hotplate/retry.hpp"

namespace hotplate::inline HOTPLATE_ABI {

class keep_alive_policy;

/// A size in units of 1,048,576 bytes: what functions are configured in.
struct mebibytes {
  std::uint32_t count = 0;

  constexpr std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(count) << 20;
  }
  friend constexpr auto operator<=>(mebibytes, mebibytes) = default;
};

namespace detail {
// Not constant: what calls it does not compile, and shows its name.
inline void a_mebibytes_literal_has_at_most_32_bits() {}
}  // namespace detail

namespace literals {
consteval mebibytes operator""_MiB(unsigned long long count) {
  if (count >> 32 != 0) detail::a_mebibytes_literal_has_at_most_32_bits();
  return {static_cast<std::uint32_t>(count)};
}
}  // namespace literals

/// Where a handler goes on that was suspended.
enum class affinity : std::uint8_t {
  worker,  ///< On the worker, and so the thread, where it started.
  any,     ///< On whichever worker is free first.
};

/// How one function is run. Every field is checked by `deploy`.
struct function_config {
  /// 128 to 10,240 MiB: the hard cap of an invocation's arena, and the GB of
  /// its GB-seconds. Heap use outside the arena is not seen.
  mebibytes memory{128};

  /// Overwrite what an invocation used of its arena, with its arguments and
  /// result, before another can get that memory; a response made there when it
  /// is freed. For secrets; costs a pass over what was used. Heap memory is the
  /// handler's own to overwrite.
  bool scrub = false;

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

  /// Decides that instead (hotplate/keep_alive.hpp); functions may share one.
  /// Kept until the engine ends, or the deployer's shared object is drained.
  std::shared_ptr<keep_alive_policy> keep_alive_by = nullptr;

  /// Instances that stay, once made, however long nobody uses them.
  std::int64_t min_instances = 0;

  /// Most instances at once, those that are being destroyed included: for
  /// these, an invocation that needs one more waits, within its deadline. If
  /// none is, it is `throttled`. 0: any number.
  std::int64_t max_instances = 0;

  /// Instances made ahead, one after another in the background, from `deploy`
  /// on. They stay as `min_instances` do, and one that fails or is used up is
  /// replaced. Invocations beyond them start cold.
  std::int64_t provisioned = 0;

  /// Invocations that an instance serves before it is destroyed; 0: any number.
  std::int64_t max_uses = 0;

  /// 1 to 1,000: most invocations that use an instance at once; a handler for
  /// which it is above 1 is called by several workers at once. Whoever finds
  /// none with room, and none idle, starts cold, also while others do. Once an
  /// invocation on it has failed, nobody joins an instance any more.
  std::int32_t instance_concurrency = 1;

  /// Initialise one instance and copy it for each further one (start kind
  /// `restored`). For classes that can be copied, also by several threads at
  /// once.
  bool snapshot = false;

  /// 16 KiB to 64 MiB: address space of a handler's stack, rounded up to a
  /// power of two. Resident is only what is touched.
  std::size_t stack_bytes = 256 * 1024;

  /// For handlers that block their thread, in system calls or on locks: each
  /// invocation runs on a thread of its own, outside the pool, on that thread's
  /// own stack; where it would suspend, the thread waits. Its limit is
  /// max_concurrency, and the engine's max_blocking_threads. In a host-pumped
  /// engine it runs as any other.
  bool blocking = false;

  /// `any` keeps suspended handlers from waiting for a worker that is held,
  /// and is for handlers that keep nothing of their thread across a suspension
  /// point: no errno, no thread_local variable, no std::mutex that is locked.
  /// Compilers take the addresses of such for constants within a function, so
  /// what needs them belongs in one of its own that is not inlined, and does
  /// not suspend. In invoke_here, and below it, handlers stay on their thread.
  /// With `worker` all of that may be kept; but a std::mutex that is locked
  /// across a suspension blocks the thread of whoever locks it meanwhile, for
  /// good if that runs on the same worker. Nothing tells: locks are the host's.
  /// A fiber_mutex (suspend.hpp) suspends instead.
  hotplate::affinity affinity = hotplate::affinity::worker;

  /// Keep stacks for this function alone, so that function_stats can tell how
  /// deep it went. Nothing is measured while it runs; the price is memory,
  /// since others cannot use these stacks, and a change of stacks (some 5 ns)
  /// where a worker goes from another function's invocation to one of this.
  bool measure_stack = false;

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

}  // namespace hotplate::inline HOTPLATE_ABI
