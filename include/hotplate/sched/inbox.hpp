#pragma once

// The only file that includes moodycamel's queue.
#include <concurrentqueue/concurrentqueue.h>

#include <cstddef>
#include <new>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct task;

/// Tasks from threads that are not workers, for any worker; first in, first out
/// for each such thread.
/// Thread safety: all members may be called from any thread.
class inbox {
 public:
  /// False when memory is out.
  bool push(task* pushed) noexcept try {
    return queue_.enqueue(pushed);
  } catch (const std::bad_alloc&) {
    return false;
  }

  /// Takes up to `most` tasks, oldest first; returns how many.
  std::size_t take(task** to, std::size_t most) noexcept {
    return queue_.try_dequeue_bulk(to, most);
  }

  bool empty() const noexcept { return queue_.size_approx() == 0; }

 private:
  moodycamel::ConcurrentQueue<task*> queue_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
