#pragma once

#include "hotplate/sched/scheduler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The calling thread as the pumper, if no other is.
class pumping {
 public:
  explicit pumping(scheduler& threads) noexcept
      : threads_(threads),
        on_(threads.pumped() ? threads.try_pump() : nullptr) {}
  pumping(const pumping&) = delete;
  pumping& operator=(const pumping&) = delete;
  ~pumping() {
    if (on_ != nullptr) threads_.end_pump();
  }

  explicit operator bool() const noexcept { return on_ != nullptr; }
  worker& operator*() const noexcept { return *on_; }

 private:
  scheduler& threads_;
  worker* const on_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
