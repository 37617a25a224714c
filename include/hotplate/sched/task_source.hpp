#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "hotplate/sched/deque.hpp"
#include "hotplate/sched/shared_sched.hpp"
#include "hotplate/sched/task.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Where one worker finds what has not started: its own deque, the inbox, the
/// deques of the others.
/// Thread safety: its worker only, but for steal(), empty() and turn().
class task_source {
 public:
  task_source(shared_sched& shared, worker& owner, std::size_t index)
      : shared_(shared), owner_(owner), index_(index) {}

  /// By its worker only; false when memory is out.
  bool push(task& unstarted) noexcept { return tasks_.push(&unstarted); }
  task* steal() noexcept { return tasks_.steal(); }
  std::int64_t size() const noexcept { return tasks_.size(); }
  bool empty() const noexcept { return tasks_.empty(); }

  void trim() noexcept { tasks_.trim(); }
  bool holds_many() const noexcept { return tasks_.holds_many(); }

  /// Changes whenever its worker looks for the next thing to run.
  std::uint32_t turn() const noexcept {
    return turn_.load(std::memory_order_relaxed);
  }
  /// True now and then: to look elsewhere first, that nobody starves.
  bool take_turn() noexcept {
    const std::uint32_t next = turn() + 1;
    turn_.store(next, std::memory_order_relaxed);
    return next % look_around == 0;
  }

  /// One of its own, for the stack that has just become free. Null, now and
  /// then, so that the root looks at inbox and mail as well.
  task* next_for(std::uint8_t stack_class) noexcept {
    if (take_turn()) return nullptr;
    task* const next = tasks_.pop();
    if (next == nullptr || next->stack_class == stack_class) return next;
    tasks_.push(next);  // There is room: it was just there.
    return nullptr;
  }

  /// Of its own only, unless it `serves` others as well.
  task* find(bool serves) noexcept {
    if (take_turn() && serves) {
      if (task* const next = take_arrivals()) return next;
    }
    if (task* const next = tasks_.pop()) return next;
    if (!serves) return nullptr;
    if (task* const next = take_arrivals()) return next;
    return steal_from_others();
  }

 private:
  static constexpr std::uint32_t look_around = 61;  // Every so many tasks.
  static constexpr std::size_t batch = 32;
  static constexpr std::int64_t loot = 16;  // At once, at most.

  // The rest of the batch goes where others can steal it, oldest on top of
  // ours; who looked while it was in neither place found nothing, so is told.
  task* take_arrivals() noexcept {
    task* taken[batch];
    const std::size_t count = shared_.arrivals.take(taken, batch);
    if (count == 0) return nullptr;
    for (std::size_t i = count - 1; i > 0; --i) {
      if (!tasks_.push(taken[i])) taken[i]->refuse(*taken[i], owner_);
    }
    if (count > 1) shared_.wake_any();
    return taken[0];
  }

  // peers.hpp
  task* steal_from_others() noexcept;
  void steal_more(task_source& victim) noexcept;

  shared_sched& shared_;
  worker& owner_;
  const std::size_t index_;
  deque tasks_;
  // Written by its worker, read by the watchdog.
  std::atomic<std::uint32_t> turn_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
