#pragma once

// The only file that includes moodycamel's queue.
#include <concurrentqueue/concurrentqueue.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "hotplate/base/chunk.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/poison.hpp"
#include "hotplate/base/unseen.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct task;

/// Tasks from threads that are not workers, for any worker; first in, first out
/// for each such thread. Many at once overflow into chunks, which go when they
/// are empty: moodycamel's queue would keep what it ever needed.
/// ThreadSanitizer does not see that queue: it orders the reuse of its blocks
/// by fences, which the sanitizer does not know.
/// Thread safety: all members may be called from any thread.
/// I1: while anything has overflown, whatever comes does so, too; it is taken
///     when the queue is empty.
class inbox {
 public:
  /// Without `overflow`, the queue grows.
  explicit inbox(chunk_source* overflow = nullptr)
      : queue_(at_hand), overflow_(overflow) {}
  inbox(const inbox&) = delete;
  inbox& operator=(const inbox&) = delete;
  ~inbox() {
    while (first_ != nullptr) drop_first();
  }

  /// False when memory is out.
  bool push(task* pushed) noexcept {
    if (overflown_.load(std::memory_order_relaxed) == 0 && push_(*this, pushed))
        [[likely]] {
      return true;
    }
    return push_beyond(pushed);
  }

  /// Takes up to `most` tasks, oldest first; returns how many.
  std::size_t take(task** to, std::size_t most) noexcept {
    const std::size_t count = take_here(to, most);
    // acquire: pairs with the release in push_beyond().
    const bool more = overflown_.load(std::memory_order_acquire) > 0;
    if (count > 0 || !more) [[likely]]
      return count;
    return take_beyond(to, most);
  }

  bool empty() const noexcept {
    return queue_.size_approx() == 0 &&
           overflown_.load(std::memory_order_relaxed) == 0;
  }

 private:
  // For all threads together; one alone fills 1,024. Of 21 KB.
  static constexpr std::size_t at_hand = 2'048;
  static constexpr std::size_t chunk_bytes = std::size_t{4} << 10;
  static constexpr std::size_t per_chunk =
      (chunk_bytes - sizeof(chunk)) / sizeof(void*);

  // The queue makes an object with virtual functions for each thread that
  // pushes.
  static bool push_here(inbox& self, task* pushed) noexcept try {
    [[maybe_unused]] const unseen here;
    return self.overflow_ == nullptr ? self.queue_.enqueue(pushed)
                                     : self.queue_.try_enqueue(pushed);
  } catch (const std::bad_alloc&) {
    return false;
  }

  std::size_t take_here(task** to, std::size_t most) noexcept {
    [[maybe_unused]] const unseen here;
    return queue_.try_dequeue_bulk(to, most);
  }

  HOTPLATE_NOINLINE bool push_beyond(task* pushed) noexcept {
    if (overflow_ == nullptr) return false;
    const lock_guard hold(guard_);
    if (last_ == nullptr || put_ == per_chunk) {
      chunk* const more = overflow_->take(chunk_bytes);
      if (more == nullptr) return false;
      unpoison(more + 1, more->size - sizeof(chunk));
      more->next = nullptr;
      *(last_ == nullptr ? &first_ : &last_->next) = more;
      last_ = more;
      put_ = 0;
    }
    tasks_in(*last_)[put_++] = pushed;
    change(1);
    return true;
  }

  HOTPLATE_NOINLINE std::size_t take_beyond(task** to,
                                            std::size_t most) noexcept {
    const lock_guard hold(guard_);
    // Since the first look, a thread may have queued one, and then more here.
    std::size_t count = take_here(to, most);
    if (count > 0) return count;
    for (; count < most && first_ != nullptr; ++count) {
      to[count] = tasks_in(*first_)[taken_++];
      const std::size_t end = first_ == last_ ? put_ : per_chunk;
      if (taken_ == end) drop_first();
    }
    change(-static_cast<std::int64_t>(count));
    return count;
  }

  // Under the lock, so the next two.
  void change(std::int64_t by) noexcept {
    overflown_.store(overflown_.load(std::memory_order_relaxed) + by,
                     std::memory_order_release);
  }
  void drop_first() noexcept {
    chunk* const gone = std::exchange(first_, first_->next);
    if (first_ == nullptr) last_ = nullptr;
    taken_ = 0;
    gone->next = nullptr;
    overflow_->give(gone);
  }

  static task** tasks_in(chunk& of) noexcept {
    return reinterpret_cast<task**>(&of + 1);
  }

  moodycamel::ConcurrentQueue<task*> queue_;
  bool (*const push_)(inbox& self, task* pushed) noexcept = &push_here;
  chunk_source* const overflow_;
  std::atomic<std::int64_t> overflown_ = 0;  // Written under the lock.
  lock guard_;                               // Guards what follows.
  chunk* first_ = nullptr;
  chunk* last_ = nullptr;
  std::size_t taken_ = 0;  // Of the first.
  std::size_t put_ = 0;    // Into the last.
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
