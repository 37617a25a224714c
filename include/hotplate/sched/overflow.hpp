#pragma once

#include <pthread.h>

#include <cstddef>

#include "hotplate/base/assert.hpp"
#include "hotplate/sched/task.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

class overflow_seat;

/// What threads that run workers call, each for itself, so that a stack
/// overflow there can be reported. Behind hotplate/overflow_report.hpp: plain
/// functions, so that who wants no reports compiles nothing of it.
struct overflow_watch {
  void (*take)(overflow_seat& seat) noexcept = nullptr;
  void (*leave)(overflow_seat& seat) noexcept = nullptr;
  void (*clear)(overflow_seat& seat) noexcept = nullptr;
};

/// Where the calling thread runs a worker, for a signal handler on that thread
/// to find. Does nothing without a watch.
/// Thread safety: one thread at a time.
class overflow_seat {
 public:
  explicit overflow_seat(const overflow_watch* by) noexcept : by_(by) {}
  overflow_seat(const overflow_seat&) = delete;
  overflow_seat& operator=(const overflow_seat&) = delete;
  ~overflow_seat() {
    if (by_ != nullptr) by_->clear(*this);
  }

  void take(worker& its) noexcept {
    if (by_ != nullptr) [[unlikely]]
      really_take(its);
  }
  void leave() noexcept {
    if (by_ != nullptr) [[unlikely]]
      really_leave();
  }

  // The watch's bookkeeping.
  worker* on = nullptr;
  overflow_seat* outer = nullptr;    // This thread's one before.
  void* alternate_stack = nullptr;   // For signal handlers; kept for reuse.
  bool has_installed_stack = false;  // Else the thread had one of its own.
  // Of a plain worker: the stack of the thread that was here last, and which.
  void* threads_stack = nullptr;
  std::size_t threads_stack_bytes = 0;
  pthread_t thread = {};

 private:
  HOTPLATE_NOINLINE void really_take(worker& its) noexcept {
    on = &its;
    by_->take(*this);
  }
  HOTPLATE_NOINLINE void really_leave() noexcept { by_->leave(*this); }

  const overflow_watch* const by_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
