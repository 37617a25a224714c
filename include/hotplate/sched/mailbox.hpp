#pragma once

#include <atomic>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/sched/fiber_queue.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Fibers that others hand to the worker that they belong to.
/// Thread safety: push() and empty() from any thread, take() by that worker.
class alignas(cache_line) mailbox {
 public:
  void push(fiber& ready) noexcept {
    fiber* top = newest_.load(std::memory_order_relaxed);
    do {
      ready.next = top;
      // release: publishes ready.next; pairs with the acquire in take().
    } while (!newest_.compare_exchange_weak(
        top, &ready, std::memory_order_release, std::memory_order_relaxed));
  }

  bool empty() const noexcept {
    return newest_.load(std::memory_order_relaxed) == nullptr;
  }

  /// All of them, oldest first.
  void take(fiber_queue& into) noexcept {
    if (empty()) return;
    fiber* mail = newest_.exchange(nullptr, std::memory_order_acquire);
    fiber* oldest_first = nullptr;
    while (mail != nullptr) {
      fiber* const next = mail->next;
      mail->next = oldest_first;
      oldest_first = mail;
      mail = next;
    }
    while (oldest_first != nullptr) {
      into.push(*std::exchange(oldest_first, oldest_first->next));
    }
  }

 private:
  std::atomic<fiber*> newest_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
