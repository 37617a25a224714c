#pragma once

#include <atomic>
#include <chrono>

#include "compare/support/latency.hpp"

namespace compare {

inline void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// One answer on its way from a worker to a client, who spins for `spin`, as
/// hotplate's does, and then sleeps. For runtimes that have no such wait.
class answer_box {
 public:
  explicit answer_box(std::chrono::microseconds spin) : spin_(spin) {}

  // release: publishes what the worker did; pairs with the acquire in take().
  void put(int answer) noexcept {
    answer_.store(answer, std::memory_order_release);
    answer_.notify_one();
  }

  /// Waits for it, and empties the box.
  int take() noexcept {
    const auto until = clock::now() + spin_;
    while (answer_.load(std::memory_order_acquire) == empty &&
           clock::now() < until) {
      relax();
    }
    answer_.wait(empty, std::memory_order_acquire);
    return answer_.exchange(empty, std::memory_order_acquire);
  }

 private:
  static constexpr int empty = -1;

  const std::chrono::microseconds spin_;
  std::atomic<int> answer_ = empty;
};

}  // namespace compare
