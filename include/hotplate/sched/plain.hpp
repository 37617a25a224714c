#pragma once

#include "hotplate/sched/worker.hpp"

// A plain worker: its thread's own stack runs tasks, and waits as a fiber
// would.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline void worker::run_plainly(task& given) noexcept {
  root_.runs = &given;
  given.run(given, *this);
  root_.runs = &nothing_;
  while (!fibers_.all_idle()) run_ready();
}

inline void worker::run_ready() noexcept {
  if (ready_.empty()) mail_.take(ready_);
  if (fiber* const ready = ready_.pop()) return go(*ready);
  if (!root_called()) park(forever);
}

HOTPLATE_NOINLINE inline void worker::wait_on_root(after_switch then) noexcept {
  if (then.act != nullptr) then.act(then.argument);
  // Not run_ready(): it takes the call as news, which then nobody would see.
  while (!root_called()) {
    if (ready_.empty()) mail_.take(ready_);
    if (fiber* const ready = ready_.pop()) {
      go(*ready);
    } else {
      park(forever);
    }
  }
}

// As often as one likes, unlike mail: some may come late.
inline void worker::call_root() noexcept {
  root_called_.store(true, std::memory_order_release);
}

inline bool worker::root_called() noexcept {
  return root_called_.load(std::memory_order_relaxed) &&
         root_called_.exchange(false, std::memory_order_acquire);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
