#pragma once

#include <pthread.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "hotplate/sched/deque.hpp"
#include "hotplate/sched/fiber_queue.hpp"
#include "hotplate/sched/fiber_store.hpp"
#include "hotplate/sched/mailbox.hpp"
#include "hotplate/sched/shared_sched.hpp"
#include "hotplate/sched/task.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Runs tasks on fibers, on one thread at a time: its own, or the host's that
/// pumps it. Started fibers stay with their worker; unstarted tasks are stolen.
/// The thread's own stack, the root, looks for work; a fiber whose task has
/// ended takes the next one of its worker without leaving its stack.
/// A spare one that is dismissed finishes what it has started, and takes no
/// more. Thread safety: its thread only, but for what says otherwise.
class worker {
 public:
  worker(shared_sched& shared, std::size_t index, bool spare = false)
      : shared_(shared),
        index_(index),
        spare_(spare),
        fibers_(shared.stacks, *this, &fiber_main) {
    root_.home = this;
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() = default;

  std::size_t index() const noexcept { return index_; }
  bool is_spare() const noexcept { return spare_; }
  fiber& current() noexcept { return *current_; }
  fiber& root() noexcept { return root_; }
  bool on_root() const noexcept { return current_ == &root_; }

  /// Makes the calling thread this worker's.
  void adopt_thread() noexcept { root_.adopt_thread(); }
  /// For thread_time(); the thread is this worker's until it ends.
  void time_thread() noexcept {
    clockid_t clock = no_clock;
    if (pthread_getcpuclockid(pthread_self(), &clock) != 0) clock = no_clock;
    cpu_clock_.store(clock, std::memory_order_relaxed);
  }

  /// What runs here now; for the watchdog, which may be late by one change.
  task* running() const noexcept {
    return running_.load(std::memory_order_acquire);
  }
  void set_running(task* now) noexcept {
    // release: publishes *now; pairs with the acquire in running().
    running_.store(now, std::memory_order_release);
    if (shared_.dog.asleep()) [[unlikely]]
      shared_.dog.stir();
  }

  // For the watchdog, too:

  /// Changes whenever this worker looks for the next thing to run.
  std::uint32_t turn() const noexcept {
    return turn_.load(std::memory_order_relaxed);
  }
  /// Processor time of its thread in nanoseconds; -1 if that is not known.
  std::int64_t thread_time() const noexcept {
    const clockid_t clock = cpu_clock_.load(std::memory_order_relaxed);
    timespec spent{};
    if (clock == no_clock || clock_gettime(clock, &spent) != 0) return -1;
    return spent.tv_sec * std::int64_t{1'000'000'000} + spent.tv_nsec;
  }
  void engage() noexcept { change_orders(false); }
  void dismiss() noexcept { change_orders(true); }

  // Called on any stack of this worker:

  /// Runs `child` at once on another fiber. Returns when something switches
  /// back to the calling stack; false, at once, if there is no memory for it.
  bool run_now(task& child) noexcept {
    fiber* const target = fibers_.take(child.stack_class);
    if (target == nullptr) return false;
    target->first = &child;
    go(*target);
    return true;
  }

  /// Leaves the calling fiber until it is resumed. `then` runs once it has
  /// been left; only then may it be found by those who resume it.
  void suspend(after_switch then) noexcept {
    fiber* const ready = take_turn() ? nullptr : ready_.pop();
    go(ready != nullptr ? *ready : root_, then);
  }

  void resume(fiber& ready) noexcept { ready_.push(ready); }

  /// Queues a task for this worker or a thief; false when memory is out.
  bool push(task& unstarted) noexcept {
    if (!tasks_.push(&unstarted)) return false;
    shared_.wake_any();
    return true;
  }

  // Called from any thread:

  /// Resumes a fiber of this worker.
  void post(fiber& ready) noexcept {
    mail_.push(ready);
    shared_.idle.notify(shared_.beds[index_]);
    if (spare_) shared_.idle.notify(retreat_);
  }

  // Called on the root only:

  /// Runs one thing that is ready, until it ends or suspends. After a search,
  /// on which publishers relied instead of waking anybody, wakes another worker
  /// first if more is ready: what runs now may take its time.
  bool step(bool after_search = false) noexcept {
    if (ready_.empty()) mail_.take(ready_);
    // In turns: fibers that keep yielding must not starve what has not started.
    tasks_first_ = !tasks_first_;
    task* next = tasks_first_ ? find() : nullptr;
    fiber* const ready = next == nullptr ? ready_.pop() : nullptr;
    if (next == nullptr && ready == nullptr) next = find();
    if (next == nullptr && ready == nullptr) return false;
    if (after_search && anything_ready()) shared_.wake_any();
    if (ready != nullptr) {
      go(*ready);
    } else if (!run_now(*next)) {
      next->refuse(*next, *this);
    }
    return true;
  }

  bool anything_ready() const noexcept {
    if (!ready_.empty() || !tasks_.empty()) return true;
    if (!mail_.empty()) return true;
    return serves_ && shared_.anything_unstarted();
  }

  /// Sleeps until something may be ready, or until `when`. Who has been
  /// dismissed sleeps where nobody wakes it for what it would not take.
  void park(std::int64_t when) noexcept {
    bed& own = serves_ ? shared_.beds[index_] : retreat_;
    shared_.idle.lie_down(own);
    if (!anything_ready() && serves_ != dismissed() &&
        !shared_.stopping.load(std::memory_order_relaxed)) {
      shared_.idle.sleep(own, when);
    }
    shared_.idle.get_up(own);
  }

  /// Whether it takes what others may take as well.
  bool serves() const noexcept { return serves_; }

  /// Reads its orders; false once a dismissed one has nothing left to finish.
  bool stays() noexcept {
    if (!spare_) return true;
    const bool served = std::exchange(serves_, !dismissed());
    // It may just have been woken for what another has to take now.
    if (served && !serves_) shared_.wake_any();
    return serves_ || anything_ready() || !fibers_.all_idle();
  }

 private:
  static constexpr std::uint32_t look_around = 61;  // Every so many tasks.
  static constexpr std::size_t batch = 32;

  void go(fiber& to, after_switch then = {}) noexcept {
    fiber& from = *current_;
    current_ = &to;
    from.switch_to(to, then);
  }

  static void fiber_main(fiber& self) noexcept {
    for (;;) {
      fiber* const then = run_tasks(self);
      worker& home = *self.home;
      home.fibers_.put(self);
      home.go(then != nullptr ? *then : home.root_);
    }
  }

  static fiber* run_tasks(fiber& self) noexcept {
    worker& home = *self.home;
    task* next = std::exchange(self.first, nullptr);
    do {
      if (fiber* const then = next->run(*next, home)) return then;
      if (fiber* const ready = home.ready_.pop()) return ready;
      next = home.another_for(self);
    } while (next != nullptr);
    return nullptr;
  }

  // Null, now and then, so that the root looks at inbox and mail as well.
  task* another_for(const fiber& self) noexcept {
    if (take_turn()) return nullptr;
    task* const next = tasks_.pop();
    if (next == nullptr || next->stack_class == self.stack_class()) return next;
    tasks_.push(next);  // There is room: it was just there.
    return nullptr;
  }

  task* find() noexcept {
    if (take_turn() && serves_) {
      if (task* const next = take_arrivals()) return next;
    }
    if (task* const next = tasks_.pop()) return next;
    if (!serves_) return nullptr;
    if (task* const next = take_arrivals()) return next;
    return steal();
  }

  /// True now and then.
  bool take_turn() noexcept {
    const std::uint32_t next = turn_.load(std::memory_order_relaxed) + 1;
    turn_.store(next, std::memory_order_relaxed);
    return next % look_around == 0;
  }

  bool dismissed() const noexcept {
    return dismissed_.load(std::memory_order_acquire);
  }
  void change_orders(bool dismissed) noexcept {
    dismissed_.store(dismissed, std::memory_order_release);
    shared_.idle.notify(shared_.beds[index_]);
    shared_.idle.notify(retreat_);
  }

  // The rest of the batch goes where others can steal it, oldest on top of
  // ours.
  task* take_arrivals() noexcept {
    task* taken[batch];
    const std::size_t count = shared_.arrivals.take(taken, batch);
    if (count == 0) return nullptr;
    for (std::size_t i = count - 1; i > 0; --i) {
      if (!tasks_.push(taken[i])) taken[i]->refuse(*taken[i], *this);
    }
    return taken[0];
  }

  task* steal() noexcept {
    const std::size_t count = shared_.workers.size();
    for (std::size_t i = 1; i < count; ++i) {
      const std::size_t victim = (index_ + i) % count;
      if (task* const got = shared_.workers[victim]->tasks_.steal()) return got;
    }
    return nullptr;
  }

  shared_sched& shared_;
  const std::size_t index_;
  fiber root_;
  fiber* current_ = &root_;
  static constexpr clockid_t no_clock = ~clockid_t{0};
  const bool spare_;
  bool serves_ = true;  // Its orders, as it last read them.
  bool tasks_first_ = false;
  fiber_queue ready_;
  fiber_store fibers_;
  deque tasks_;
  // Written by this worker, read by the watchdog.
  alignas(cache_line) std::atomic<task*> running_ = nullptr;
  std::atomic<std::uint32_t> turn_ = 0;
  std::atomic<clockid_t> cpu_clock_ = no_clock;
  // Written by the watchdog: a spare one's orders.
  std::atomic<bool> dismissed_ = false;
  bed retreat_;
  mailbox mail_;

  friend shared_sched;
};

inline shared_sched::shared_sched(clock_source& time, std::size_t regular,
                                  std::size_t spare)
    : dog(time), beds(new bed[regular + spare]) {
  for (std::size_t i = 0; i < regular + spare; ++i) {
    workers.push_back(std::make_unique<worker>(*this, i, i >= regular));
  }
}

inline shared_sched::~shared_sched() = default;

inline bool shared_sched::anything_unstarted() const noexcept {
  if (!arrivals.empty()) return true;
  for (const auto& one : workers) {
    if (!one->tasks_.empty()) return true;
  }
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
