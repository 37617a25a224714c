#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/base/thread.hpp"
#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Threads for tasks that block: each runs one task at a time, on its own
/// stack. One is started when a task finds none idle, and ends after a second
/// without a task.
/// Thread safety: all members may be called from any thread.
/// I1: under the lock, `idle_` threads wait or are on their way to a task.
class blocking_threads {
 public:
  using thread_main = void (*)(void* target, worker& on);

  /// `enter` makes the calling thread that worker's.
  blocking_threads(shared_sched& shared, std::size_t first_index,
                   std::size_t most, thread_main enter, void* target)
      : shared_(shared),
        first_index_(first_index),
        most_(most),
        enter_(enter),
        target_(target),
        slots_(most) {}
  blocking_threads(const blocking_threads&) = delete;
  blocking_threads& operator=(const blocking_threads&) = delete;
  ~blocking_threads() {
    for (std::size_t i = 0; i < most_; ++i) delete at(i);
  }

  /// False when memory is out, or no thread can be had.
  bool submit(task& unstarted) noexcept {
    {
      const lock_guard hold(lock_);
      if (!queue_.push(unstarted)) return false;
      const bool lacking = queue_.size() > idle_ && running_ < most_;
      if (lacking && !start_one_(*this) && running_ == 0) {
        queue_.pop_last();
        return false;
      }
      news_.fetch_add(1, std::memory_order_relaxed);
    }
    futex_wake(&news_, 1);
    return true;
  }

  /// Ends the threads; the queue must be empty by then.
  void stop() noexcept {
    {
      const lock_guard hold(lock_);
      stopping_ = true;
      news_.fetch_add(1, std::memory_order_relaxed);
    }
    futex_wake(&news_, std::numeric_limits<int>::max());
    for (std::size_t i = 0; i < most_; ++i) {
      if (slots_[i].thread.joinable()) slots_[i].thread.join();
    }
  }

  std::size_t running() const noexcept {
    const lock_guard hold(lock_);
    return running_;
  }
  std::size_t most() const noexcept { return most_; }
  /// Null if it was never needed.
  worker* at(std::size_t i) const noexcept {
    return slots_[i].made.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::int64_t longest_idle = 1'000'000'000;

  struct slot {
    std::thread thread;
    std::atomic<worker*> made = nullptr;
    bool in_use = false;  // Under the lock.
  };

  /// First in, first out.
  class task_queue {
   public:
    bool push(task& last) noexcept try {
      tasks_.push_back(&last);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
    task* pop() noexcept {
      if (size() == 0) return nullptr;
      task* const next = tasks_[first_++];
      if (2 * first_ >= tasks_.size()) {
        tasks_.erase(tasks_.begin(),
                     tasks_.begin() + static_cast<std::ptrdiff_t>(first_));
        first_ = 0;
      }
      return next;
    }
    void pop_last() noexcept { tasks_.pop_back(); }
    std::size_t size() const noexcept { return tasks_.size() - first_; }

   private:
    std::vector<task*> tasks_;
    std::size_t first_ = 0;
  };

  // Under the lock.
  static bool start_one(blocking_threads& self) noexcept try {
    std::size_t i = 0;
    while (self.slots_[i].in_use) ++i;
    slot& own = self.slots_[i];
    if (self.at(i) == nullptr) {
      own.made.store(
          new worker(self.shared_, self.first_index_ + i, worker_kind::plain),
          std::memory_order_release);
    }
    if (own.thread.joinable()) own.thread.join();  // It has left.
    own.thread = start_thread<&blocking_threads::work>(self, own);
    own.in_use = true;
    ++self.running_;
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  } catch (const std::system_error&) {
    return false;
  }

  void work(slot& own) noexcept {
    worker& on = *own.made.load(std::memory_order_relaxed);
    enter_(target_, on);
    while (task* const next = wait_for_task(own)) {
      set_modes_here(shared_.fibers.modes());
      on.run_plainly(*next);
    }
    on.give_all_back();
    on.release_thread();
  }

  /// Null when this thread is to end.
  task* wait_for_task(slot& own) noexcept {
    const std::int64_t until = monotonic_now() + longest_idle;
    lock_.acquire();
    task* next = queue_.pop();
    while (next == nullptr && !stopping_ && monotonic_now() < until) {
      const std::uint32_t seen = news_.load(std::memory_order_relaxed);
      ++idle_;
      lock_.release();
      futex_wait(&news_, seen, until);
      lock_.acquire();
      --idle_;
      next = queue_.pop();
    }
    if (next == nullptr) {
      own.in_use = false;
      --running_;
    }
    lock_.release();
    return next;
  }

  shared_sched& shared_;
  const std::size_t first_index_;
  const std::size_t most_;
  const thread_main enter_;
  void* const target_;
  const owned_array<slot> slots_;
  bool (*const start_one_)(blocking_threads& self) noexcept = &start_one;
  mutable lock lock_;  // Guards the rest, and starting threads.
  task_queue queue_;
  std::size_t idle_ = 0;
  std::size_t running_ = 0;
  bool stopping_ = false;
  // Changes with every task; idle threads sleep on it.
  std::atomic<std::uint32_t> news_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
