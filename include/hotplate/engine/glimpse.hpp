#pragma once

#include <atomic>
#include <cstdint>

#include "hotplate/describe.hpp"
#include "hotplate/engine/invocation.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What a record said at one moment, if it still does.
struct glimpse {
  const deployed_function* target;
  const deployed_version* version;
  std::int64_t arrived;
  stage reached;
  bool started;
  bool standing;  // Suspended, or while it waits for a child.
  fiber* on;      // Where it last waited.
  invocation* child;
  source_location where;

  explicit glimpse(invocation& call) noexcept
      : target(std::atomic_ref(call.target).load(std::memory_order_relaxed)),
        version(std::atomic_ref(call.version).load(std::memory_order_relaxed)),
        arrived(std::atomic_ref(call.arrived).load(std::memory_order_relaxed)),
        reached(call.reached.load(std::memory_order_relaxed)),
        started(call.started.load(std::memory_order_relaxed) !=
                invocation::never),
        standing(call.sleep_number.load(std::memory_order_relaxed) != 0),
        on(call.on.load(std::memory_order_acquire)),
        child(call.awaited.load(std::memory_order_relaxed)),
        where(call.at.read()) {}

  /// In nanoseconds; none for one that is just arriving.
  std::int64_t age(std::int64_t now) const noexcept {
    return arrived == invocation::never || now < arrived ? 0 : now - arrived;
  }

  /// Whether all of it was said of the same invocation, which has not ended.
  bool still_is(const invocation& call,
                std::uint64_t generation) const noexcept {
    // acquire: this look at the state must not come before those.
    std::atomic_thread_fence(std::memory_order_acquire);
    const std::uint64_t now = call.state.load(std::memory_order_relaxed);
    return now >> invocation::generation_shift == generation &&
           (now & invocation::ended) == 0 && target != nullptr &&
           version != nullptr;
  }

  invocation_state state() const noexcept {
    if (reached <= stage::admission) return invocation_state::waiting;
    if (!started) return invocation_state::queued;
    if (standing || child != nullptr) return invocation_state::suspended;
    return reached == stage::init ? invocation_state::init
                                  : invocation_state::running;
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
