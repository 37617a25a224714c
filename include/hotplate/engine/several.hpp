#pragma once

#include <sched.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "hotplate/engine/access.hpp"
#include "hotplate/engine/line.hpp"

// Waiting for the first of several invocations: a line of one, who is served by
// whichever settles first. And for time to pass: a line in which nobody serves.

namespace hotplate::inline HOTPLATE_ABI::detail {

class first_of {
 public:
  explicit first_of(core& engine) noexcept : lobby_(engine) {
    line_.join(self_);
  }
  first_of(const first_of&) = delete;
  first_of& operator=(const first_of&) = delete;

  /// Returns once one of them has settled, or at `until`.
  void wait(invocation* const* calls, std::size_t count, std::int64_t until,
            const source_location& where) {
    worker* const here = lobby_.engine().here_or_throw(where);
    std::vector<bell> bells(count);
    const watch watching(*this, bells, calls);
    if (!watching.any_settled()) lobby_.stand(line_, self_, here, until);
  }

 private:
  /// While it lives, the invocations tell.
  class watch {
   public:
    watch(first_of& whom, std::vector<bell>& bells, invocation* const* calls)
        : whom_(whom), calls_(calls) {
      for (bell& each : bells) {
        each.tell = whom.lobby_.engine().code().ring;
        each.at = &whom.lobby_;
        each.waiting = &whom.line_;
        each.told = &whom.told_;
        if (!calls[watched_]->watch(each)) {
          any_settled_ = true;
          break;
        }
        ++watched_;
      }
    }
    watch(const watch&) = delete;
    watch& operator=(const watch&) = delete;
    ~watch() {
      std::size_t told = 0;
      for (std::size_t i = 0; i < watched_; ++i) {
        told += calls_[i]->unwatch(calls_[i]->generation()) ? 0 : 1;
      }
      // At worst another thread has settled one and not told yet.
      while (whom_.told() < told) relax();
    }

    bool any_settled() const noexcept { return any_settled_; }

   private:
    first_of& whom_;
    invocation* const* calls_;
    std::size_t watched_ = 0;
    bool any_settled_ = false;
  };

  std::size_t told() noexcept {
    const lock_guard hold(lobby_.guard());
    return told_;
  }

  lobby lobby_;
  line line_;
  guest self_;
  std::size_t told_ = 0;  // Under the lobby's guard.
};

/// The first of several to wait for. Made from a pending where that is passed,
/// so it knows whose line that is: after a pack no argument has a default.
struct awaited_first {
  template <typename T>
  awaited_first(const pending<T>& started,
                source_location from = source_location::current()) noexcept
      : call(access::invocation_of(started)), where(from) {}

  invocation* call;
  source_location where;
};

/// The index of the first that has settled, waiting at most until `until`;
/// `count` if none has. A null one was refused and is ready.
inline std::size_t wait_any(invocation* const* calls, std::size_t count,
                            std::int64_t until, const source_location& where) {
  const auto settled = [](const invocation* call) {
    return call == nullptr || call->has(invocation::settled);
  };
  const auto ready = [&] {
    return static_cast<std::size_t>(
        std::find_if(calls, calls + count, settled) - calls);
  };
  if (ready() < count || count == 0) return ready();
  calls[0]->engine->throw_if_forked();
  first_of(*calls[0]->engine).wait(calls, count, until, where);
  return ready();
}

/// True if it has settled by `until`.
inline bool wait_one(const awaited_first& one, std::int64_t until) {
  if (one.call == nullptr) return true;
  core& engine = *one.call->engine;
  engine.wait(*one.call, engine.here_or_throw(one.where), until);
  return one.call->has(invocation::settled);
}

inline void sleep_until(core& engine, std::int64_t when,
                        const source_location& where) {
  worker* const here = engine.here_or_throw(where);
  lobby around(engine);
  line nobody_serves;
  guest self;
  nobody_serves.join(self);
  around.stand(nobody_serves, self, here, when);
}

inline void yield(core& engine, const source_location& where) {
  worker* const here = engine.here_or_throw(where);
  if (here != nullptr && !here->on_root()) {
    engine.yield(static_cast<invocation*>(here->running()), *here);
  } else if (engine.config().workers == 0) {
    engine.poll_one();
  } else {
    sched_yield();
  }
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
