#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/sched/inbox.hpp"
#include "hotplate/sched/task.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The inbox, and before it a place for one task that its thread waits for: a
/// worker that searches has it with one cache miss.
/// Thread safety: all members may be called from any thread.
/// I1: what a thread puts first it put before all that it has in the inbox: it
///     finds nothing there, and no worker between a look at the first place and
///     the inbox. So its tasks keep their order, if one worker takes at a time.
/// Stress: tests/stress/entrance_stress_test.cpp
class entrance {
 public:
  explicit entrance(chunk_source* overflow = nullptr) : others_(overflow) {}

  /// False when memory is out. First comes only what is waited for: who pushes
  /// many in a row would have a worker in his way that takes each at once.
  bool push(task* pushed, submitted how = submitted::alone) noexcept {
    if (how == submitted::waited_for && push_first(pushed)) return true;
    return others_.push(pushed);
  }

  /// Takes up to `most` tasks, at least one, oldest first; returns how many.
  std::size_t take(task** to, std::size_t most) noexcept {
    const std::size_t first = take_first(to[0]) ? 1 : 0;
    if (first == most || others_.empty()) return first;
    task* seen = nullptr;
    const bool closes = first_.compare_exchange_strong(
        seen, closed(), std::memory_order_acquire, std::memory_order_relaxed);
    // Somebody came meanwhile, maybe before others that are in the inbox.
    if (!closes && seen != closed()) {
      return first == 1 || take_first(to[0]) ? 1 : 0;
    }
    const std::size_t rest = others_.take(to + first, most - first);
    if (closes) first_.store(nullptr, std::memory_order_release);
    return first + rest;
  }

  bool empty() const noexcept {
    task* const first = first_.load(std::memory_order_relaxed);
    return (first == nullptr || first == closed()) && others_.empty();
  }

 private:
  // Instead of a task: a worker is at the inbox, so all others go there.
  task* closed() const noexcept {
    return reinterpret_cast<task*>(reinterpret_cast<std::uintptr_t>(this));
  }

  bool push_first(task* pushed) noexcept {
    task* seen = first_.load(std::memory_order_relaxed);
    if (seen != nullptr || !others_.empty()) return false;
    // release: publishes the task; pairs with the acquire in take_first().
    return first_.compare_exchange_strong(
        seen, pushed, std::memory_order_release, std::memory_order_relaxed);
  }

  bool take_first(task*& to) noexcept {
    to = first_.load(std::memory_order_relaxed);
    if (to == nullptr || to == closed()) return false;
    // acquire: pairs with the release in push_first().
    return first_.compare_exchange_strong(
        to, nullptr, std::memory_order_acquire, std::memory_order_relaxed);
  }

  inbox others_;
  alignas(cache_line) std::atomic<task*> first_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
