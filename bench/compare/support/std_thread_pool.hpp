#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "compare/support/answer_box.hpp"

namespace compare {

/// What is written where no library is at hand: threads, a queue, a mutex and a
/// condition variable.
class std_thread_pool {
 public:
  explicit std_thread_pool(int threads, std::chrono::microseconds spin = {})
      : spin_(spin) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  std_thread_pool(const std_thread_pool&) = delete;
  std_thread_pool& operator=(const std_thread_pool&) = delete;
  ~std_thread_pool() {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    filled_.notify_all();
    for (std::thread& each : threads_) each.join();
  }

  void run(std::function<void()> task) {
    {
      const std::lock_guard hold(mutex_);
      queue_.push_back(std::move(task));
      size_.store(queue_.size(), std::memory_order_relaxed);
    }
    filled_.notify_one();
  }

 private:
  void work() {
    for (;;) {
      look_for_work();
      std::unique_lock hold(mutex_);
      filled_.wait(hold, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      const std::function<void()> next = std::move(queue_.front());
      queue_.pop_front();
      size_.store(queue_.size(), std::memory_order_relaxed);
      hold.unlock();
      next();
    }
  }

  void look_for_work() const {
    if (spin_.count() == 0) return;
    const auto until = clock::now() + spin_;
    while (size_.load(std::memory_order_relaxed) == 0 && clock::now() < until) {
      relax();
    }
  }

  const std::chrono::microseconds spin_;
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<std::function<void()>> queue_;
  std::atomic<std::size_t> size_ = 0;  // Of the queue, for who spins.
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace compare
