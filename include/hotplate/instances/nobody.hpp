#pragma once

#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Meanwhile a worker, if there is one, runs no invocation, and keeps the fiber
/// that it runs: that an invocation is over must not be thrown into an
/// instance's destructor, nor its fiber go on elsewhere behind its back.
class nobody {
 public:
  explicit nobody(worker* here) noexcept
      : here_(here),
        before_(here == nullptr ? nullptr : here->running()),
        kept_(here == nullptr ? nullptr : here->current().runs),
        moves_(kept_ != nullptr && kept_->moves) {
    if (here_ != nullptr) here_->set_running(nullptr);
    if (moves_) kept_->moves = false;
  }
  nobody(const nobody&) = delete;
  nobody& operator=(const nobody&) = delete;
  ~nobody() {
    if (here_ != nullptr) here_->set_running(before_);
    if (moves_) kept_->moves = true;
  }

 private:
  worker* const here_;
  task* const before_;
  task* const kept_;
  const bool moves_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
