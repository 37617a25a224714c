#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include "hotplate/base/chunk_cache.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/base/thread_state.hpp"
#include "hotplate/sched/fiber_queue.hpp"
#include "hotplate/sched/fiber_store.hpp"
#include "hotplate/sched/mailbox.hpp"
#include "hotplate/sched/shared_sched.hpp"
#include "hotplate/sched/task.hpp"
#include "hotplate/sched/task_source.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

enum class worker_kind : std::uint8_t { regular, spare, plain };

/// Runs tasks on fibers, on one thread at a time: its own, or the host's that
/// pumps it. Started fibers stay with their worker, but for those that may
/// move: when they are ready, any worker resumes them. Unstarted tasks are
/// stolen. The thread's own stack, the root, looks for work; a fiber whose task
/// has ended takes the next one of its worker without leaving its stack. A
/// spare one that is dismissed finishes what it has started, and takes no more.
/// A plain one runs each task that it is given on its thread's own stack, which
/// waits where a fiber would suspend. Thread safety: its thread, or as said.
class worker {
 public:
  /// What belongs to a worker alone, and exists for each function, is by seat:
  /// spare workers have none, nor have most plain ones.
  static constexpr std::size_t no_seat = ~std::size_t{0};

  worker(shared_sched& shared, std::size_t index,
         worker_kind kind = worker_kind::regular, std::size_t seat = no_seat)
      : shared_(shared),
        index_(index),
        seat_(kind == worker_kind::regular ? index : seat),
        kind_(kind),
        watched_(shared.overflows),
        fibers_(shared.fibers, *this, &fiber_main),
        tasks_(shared, *this, index) {
    root_.settle_at(*this);
    root_.runs = &nothing_;
    serves_ = kind != worker_kind::plain;
    dismissed_.store(!serves_, std::memory_order_relaxed);
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() = default;

  std::size_t index() const noexcept { return index_; }
  std::size_t seat() const noexcept { return seat_; }
  bool is_regular() const noexcept { return kind_ == worker_kind::regular; }
  bool is_plain() const noexcept { return kind_ == worker_kind::plain; }
  fiber& current() noexcept { return *current_; }
  fiber& root() noexcept { return root_; }
  /// Whether no handler is calling.
  bool on_root() const noexcept { return current_ == &root_ && !is_plain(); }
  /// Of a plain one: whether it runs nothing, for the thread that has it.
  bool is_vacant() const noexcept {
    return current_ == &root_ && root_.runs == &nothing_ && is_plain();
  }

  /// Makes the calling thread this worker's, until release_thread().
  void adopt_thread() noexcept {
    root_.adopt_thread();
    watched_.take(*this);
  }
  void release_thread() noexcept { watched_.leave(); }
  /// What runs here now; for the watchdog, for which it may be long over.
  task* running() const noexcept {
    return running_.load(std::memory_order_acquire);
  }
  /// The calling fiber is another task's: its own one's memory is not its own.
  void go_on_as(task& other) noexcept { current_->runs = &other; }
  void set_running(task* now) noexcept {
    // release: publishes *now; pairs with the acquire in running().
    running_.store(now, std::memory_order_release);
    if (shared_.dog.asleep()) [[unlikely]]
      shared_.dog.stir();
  }

  /// For arenas of what it runs.
  chunk_cache* chunks() noexcept { return &chunks_; }
  /// Changes whenever this worker looks for the next thing to run.
  std::uint32_t turn() const noexcept { return tasks_.turn(); }
  /// Of its thread; not in host-pumped engines.
  thread_state& thread() noexcept { return thread_; }
  void engage() noexcept { change_orders(false); }
  void dismiss() noexcept { change_orders(true); }

  // Called on any stack of this worker:

  /// Runs `child` at once on another fiber. Returns when something switches
  /// back to the calling stack; false, at once, if there is no memory for it.
  HOTPLATE_INLINE bool run_now(task& child) noexcept {
    fiber* const target = fibers_.take(child.stack_class);
    if (target == nullptr) return false;
    target->runs = &child;
    leave_for(*target, {});
    return true;
  }

  /// Leaves the calling fiber until it is resumed, maybe on another worker:
  /// fiber::home() tells. `then` runs once it has been left; only then may it
  /// be found by those who resume it.
  void suspend(after_switch then) noexcept {
    if (current_ == &root_) [[unlikely]]
      return wait_on_root(then);
    fiber* const ready = tasks_.take_turn() ? nullptr : ready_.pop();
    leave_for(ready != nullptr ? *ready : root_, then);
  }

  void resume(fiber& ready) noexcept;  // peers.hpp

  /// Queues a task for this worker or a thief; false when memory is out.
  bool push(task& unstarted, submitted how = submitted::alone) noexcept {
    if (!tasks_.push(unstarted)) return false;
    if (how != submitted::among_others) shared_.wake_any();
    return true;
  }

  // Called from any thread:

  task_source& tasks() noexcept { return tasks_; }

  /// Resumes a fiber of this worker. The root of a plain one may have gone on
  /// meanwhile, or run for another thread: nothing of it is read.
  void post(fiber& ready) noexcept {
    if (is_plain() || !lets_go(ready)) return send(ready);
    if (ready.call()) offer(ready);
  }

  /// Makes it look again whether it has anything left to do.
  void nudge() noexcept;             // peers.hpp
  bool holds_many() const noexcept;  // look.hpp

  // Called on the root only:

  // --- look.hpp
  bool is_to_trim() const noexcept;
  void trim() noexcept;
  bool trim_vacant() noexcept;
  void give_all_back() noexcept;

  /// Runs one thing that is ready, until it ends or suspends. Who was idle, and
  /// may have been woken, or found searching, for several things, wakes another
  /// worker first if more is ready: what runs now may take its time.
  bool step(bool was_idle = false) noexcept {
    if (ready_.empty()) mail_.take(ready_);
    // In turns: fibers that keep yielding must not starve what has not started.
    tasks_first_ = !tasks_first_;
    task* next = tasks_first_ ? tasks_.find(serves_) : nullptr;
    fiber* const ready = next == nullptr ? ready_.pop() : nullptr;
    if (next == nullptr && ready == nullptr) next = tasks_.find(serves_);
    if (next == nullptr && ready == nullptr) return false;
    if (was_idle && shared_.idle.anybody_asleep() && anything_ready()) {
      shared_.wake_any();
    }
    if (ready != nullptr) {
      go(*ready);
    } else if (next->stack_class == no_stack) {
      take_in(static_cast<mover*>(next)->ready);
    } else if (!run_now(*next)) {
      next->refuse(*next, *this);
    }
    return true;
  }

  /// Of a plain one: runs a task on the thread's own stack, and what that has
  /// left behind on fibers, to its end.
  void run_plainly(task& given) noexcept;
  /// Runs one fiber that is ready; if none is, waits for news.
  void run_ready() noexcept;

  bool anything_ready() const noexcept {
    if (!ready_.empty() || !tasks_.empty() || !mail_.empty()) return true;
    if (root_called_.load(std::memory_order_relaxed)) return true;
    return serves_ && shared_.anything_unstarted();
  }

  /// Sleeps until something may be ready, or until `when`. Who has been
  /// dismissed sleeps where nobody wakes it for what it would not take.
  void park(std::int64_t when) noexcept;  // peers.hpp

  /// Whether it takes what others may take as well.
  bool serves() const noexcept { return serves_; }

  bool stays() noexcept;  // peers.hpp

 private:
  // Whether any worker may resume it. Not where a thread's own stack waits for
  // what it has left behind on fibers.
  bool lets_go(const fiber& suspended) const noexcept {
    return suspended.runs->moves && !is_plain();
  }

  // --- peers.hpp
  void offer(fiber& ready) noexcept;
  void send(fiber& ready) noexcept;
  static void stay(task& self, worker&) noexcept;
  void take_in(fiber& come) noexcept;
  static void end_stay(void* argument) noexcept;
  // As others may call them later: see engine/resident.hpp.
  void (*const stay_)(task& self, worker&) noexcept = &stay;
  void (*const end_stay_)(void* argument) = &end_stay;

  HOTPLATE_INLINE void leave_for(fiber& next, after_switch then) noexcept {
    fiber& self = *current_;
    if (!lets_go(self)) [[likely]]
      return go(next, then);
    move left{*this, self, then};
    go(next, {end_stay_, &left});
  }

  // Lives on the stack that is left, until that is resumed.
  struct move {
    worker& from;
    fiber& self;
    after_switch then;
  };

  // A fiber that has moved away was its last.
  bool may_leave() noexcept {
    return !serves_ && !is_plain() && fibers_.all_idle();
  }

  void go(fiber& to, after_switch then = {}) noexcept {
    fiber& from = *current_;
    current_ = &to;
    from.switch_to(to, then);
  }

  // --- plain.hpp
  void wait_on_root(after_switch then) noexcept;
  void call_root() noexcept;
  bool root_called() noexcept;

  static void fiber_main(fiber& self) noexcept {
    for (;;) {
      fiber* const then = run_tasks(self);
      worker& home = *self.home();
      home.fibers_.put(self);
      home.current_ = then != nullptr ? then : &home.root_;
      self.retire_to(*home.current_);
    }
  }

  static fiber* run_tasks(fiber& self) noexcept {
    do {
      fiber* const then = self.runs->run(*self.runs, *self.home());
      if (then != nullptr) return then;
      worker& home = *self.home();  // Of a task that moves, maybe another one.
      if (fiber* const ready = home.ready_.pop()) return ready;
      self.runs = home.tasks_.next_for(self.stack_class());
      self.begin_anew();
    } while (self.runs != nullptr);
    return nullptr;
  }

  bool dismissed() const noexcept {
    return dismissed_.load(std::memory_order_acquire);
  }
  void change_orders(bool dismissed) noexcept;  // peers.hpp

  shared_sched& shared_;
  const std::size_t index_;
  const std::size_t seat_;
  task nothing_;  // What the root runs, unless it is a plain one's.
  fiber root_;
  fiber* current_ = &root_;
  const worker_kind kind_;
  overflow_seat watched_;
  bool serves_ = true;  // Its orders, as it last read them.
  bool tasks_first_ = false;
  std::uint32_t looks_ = 0;  // Heeded.
  fiber_queue ready_;
  fiber_store fibers_;
  task_source tasks_;
  // Written by this worker, read by the watchdog.
  alignas(cache_line) std::atomic<task*> running_ = nullptr;
  thread_state thread_;
  chunk_cache chunks_;
  // Written by the watchdog: a spare one's orders.
  std::atomic<bool> dismissed_ = false;
  std::atomic<bool> root_called_ = false;  // By whoever resumes a plain one.
  bed retreat_;
  mailbox mail_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/sched/look.hpp"
#include "hotplate/sched/peers.hpp"
#include "hotplate/sched/plain.hpp"
