#pragma once

// The only file that includes moodycamel's queue.
#include <concurrentqueue/concurrentqueue.h>

#include <cstddef>
#include <new>

#include "hotplate/base/unseen.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct task;

/// Tasks from threads that are not workers, for any worker; first in, first out
/// for each such thread.
/// ThreadSanitizer does not see it: moodycamel's queue orders the reuse of its
/// blocks by fences, which the sanitizer does not know.
/// Thread safety: all members may be called from any thread.
class inbox {
 public:
  /// False when memory is out.
  bool push(task* pushed) noexcept { return push_(*this, pushed); }

  /// Takes up to `most` tasks, oldest first; returns how many.
  std::size_t take(task** to, std::size_t most) noexcept {
    [[maybe_unused]] const unseen here;
    return queue_.try_dequeue_bulk(to, most);
  }

  bool empty() const noexcept { return queue_.size_approx() == 0; }

 private:
  // The queue makes an object with virtual functions for each thread that
  // pushes.
  static bool push_here(inbox& self, task* pushed) noexcept try {
    [[maybe_unused]] const unseen here;
    return self.queue_.enqueue(pushed);
  } catch (const std::bad_alloc&) {
    return false;
  }

  moodycamel::ConcurrentQueue<task*> queue_;
  bool (*const push_)(inbox& self, task* pushed) noexcept = &push_here;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
