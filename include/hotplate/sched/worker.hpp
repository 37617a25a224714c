#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "hotplate/sched/deque.hpp"
#include "hotplate/sched/event_count.hpp"
#include "hotplate/sched/fiber.hpp"
#include "hotplate/sched/fiber_queue.hpp"
#include "hotplate/sched/inbox.hpp"
#include "hotplate/sched/task.hpp"
#include "hotplate/sched/watchdog.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What the workers of one engine share.
struct shared_sched {
  explicit shared_sched(clock_source& time) : dog(time) {}

  inbox arrivals;
  stack_pool stacks;
  event_count idle;
  watchdog dog;
  std::vector<std::unique_ptr<worker>> workers;
  std::unique_ptr<bed[]> beds;
  std::atomic<bool> stopping = false;
};

/// Runs tasks on fibers, on one thread at a time: its own, or the host's that
/// pumps it. Started fibers stay with their worker; unstarted tasks are stolen.
/// The thread's own stack, the root, looks for work; a fiber whose task has
/// ended takes the next one of its worker without leaving its stack.
/// Thread safety: its thread only, but for post() and the reads of `running`.
class worker {
 public:
  worker(shared_sched& shared, std::size_t index)
      : shared_(shared), index_(index) {
    root_.home = this;
  }
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;
  ~worker() {
    for (fiber* const made : made_) made->~fiber();
  }

  std::size_t index() const noexcept { return index_; }
  fiber& current() noexcept { return *current_; }
  fiber& root() noexcept { return root_; }
  bool on_root() const noexcept { return current_ == &root_; }

  /// Makes the calling thread this worker's.
  void adopt_thread() noexcept { root_.adopt_thread(); }

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

  // Called on any stack of this worker:

  /// Runs `child` at once on another fiber. Returns when something switches
  /// back to the calling stack; false, at once, if there is no memory for it.
  bool run_now(task& child) noexcept {
    fiber* const target = take_fiber(child.stack_class);
    if (target == nullptr) return false;
    target->runs = &child;
    go(*target);
    return true;
  }

  /// Leaves the calling fiber until it is resumed. `then` runs once it has
  /// been left; only then may it be found by those who resume it.
  void suspend(after_switch then) noexcept {
    fiber* const ready = ++turn_ % look_around == 0 ? nullptr : ready_.pop();
    go(ready != nullptr ? *ready : root_, then);
  }

  void resume(fiber& ready) noexcept { ready_.push(ready); }

  /// Queues a task for this worker or a thief; false when memory is out.
  bool push(task& unstarted) noexcept {
    if (!tasks_.push(&unstarted)) return false;
    shared_.idle.notify(shared_.beds.get(), shared_.workers.size());
    return true;
  }

  // Called from any thread:

  /// Resumes a fiber of this worker.
  void post(fiber& ready) noexcept {
    fiber* top = mail_.load(std::memory_order_relaxed);
    do {
      ready.next = top;
      // release: publishes ready.next; pairs with the acquire in read_mail().
    } while (!mail_.compare_exchange_weak(
        top, &ready, std::memory_order_release, std::memory_order_relaxed));
    shared_.idle.notify(shared_.beds[index_]);
  }

  // Called on the root only:

  /// Runs one thing that is ready, until it ends or suspends. After a search,
  /// on which publishers relied instead of waking anybody, wakes another worker
  /// first if more is ready: what runs now may take its time.
  bool step(bool after_search = false) noexcept {
    if (ready_.empty()) read_mail();
    // In turns: fibers that keep yielding must not starve what has not started.
    tasks_first_ = !tasks_first_;
    task* next = tasks_first_ ? find() : nullptr;
    fiber* const ready = next == nullptr ? ready_.pop() : nullptr;
    if (next == nullptr && ready == nullptr) next = find();
    if (next == nullptr && ready == nullptr) return false;
    if (after_search && anything_ready()) wake_another();
    if (ready != nullptr) {
      go(*ready);
    } else if (!run_now(*next)) {
      next->refuse(*next, *this);
    }
    return true;
  }

  void wake_another() noexcept {
    shared_.idle.notify(shared_.beds.get(), shared_.workers.size());
  }

  bool anything_ready() const noexcept {
    if (!ready_.empty() || held_ != nullptr) return true;
    if (mail_.load(std::memory_order_relaxed) != nullptr) return true;
    if (!shared_.arrivals.empty()) return true;
    for (const auto& other : shared_.workers) {
      if (!other->tasks_.empty()) return true;
    }
    return false;
  }

  /// Sleeps until something may be ready, or until `when`.
  void park(std::int64_t when) noexcept {
    bed& own = shared_.beds[index_];
    shared_.idle.lie_down(own);
    if (!anything_ready() &&
        !shared_.stopping.load(std::memory_order_relaxed)) {
      shared_.idle.sleep(own, when);
    }
    shared_.idle.get_up(own);
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
      home.put_fiber(self);
      home.go(then != nullptr ? *then : home.root_);
    }
  }

  static fiber* run_tasks(fiber& self) noexcept {
    worker& home = *self.home;
    do {
      if (fiber* const then = self.runs->run(*self.runs, home)) return then;
      if (fiber* const ready = home.ready_.pop()) return ready;
      self.runs = home.another_for(self);
    } while (self.runs != nullptr);
    return nullptr;
  }

  // Null, now and then, so that the root looks at inbox and mail as well.
  task* another_for(const fiber& self) noexcept {
    if (++turn_ % look_around == 0) return nullptr;
    task* const next = tasks_.pop();
    if (next == nullptr || next->stack_class == self.stack_class()) return next;
    held_ = next;
    return nullptr;
  }

  task* find() noexcept {
    if (held_ != nullptr) return std::exchange(held_, nullptr);
    if (++turn_ % look_around == 0) {
      if (task* const next = take_arrivals()) return next;
    }
    if (task* const next = tasks_.pop()) return next;
    if (task* const next = take_arrivals()) return next;
    return steal();
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

  void read_mail() noexcept {
    if (mail_.load(std::memory_order_relaxed) == nullptr) return;
    // acquire: pairs with the release in post(). The newest is on top.
    fiber* mail = mail_.exchange(nullptr, std::memory_order_acquire);
    fiber* oldest_first = nullptr;
    while (mail != nullptr) {
      fiber* const next = mail->next;
      mail->next = oldest_first;
      oldest_first = mail;
      mail = next;
    }
    while (oldest_first != nullptr) {
      ready_.push(*std::exchange(oldest_first, oldest_first->next));
    }
  }

  fiber* take_fiber(std::uint8_t stack_class) noexcept {
    fiber*& idle = idle_fibers_[stack_class];
    if (idle == nullptr) [[unlikely]]
      return make_fiber(stack_class);
    return std::exchange(idle, idle->next);
  }

  HOTPLATE_NOINLINE fiber* make_fiber(std::uint8_t stack_class) noexcept try {
    if (made_.size() == made_.capacity()) made_.reserve(made_.size() * 2 + 16);
    const stack_memory stack = shared_.stacks.make(stack_class);
    if (stack.size == 0) return nullptr;
    constexpr std::size_t reserved =
        (sizeof(fiber) + cache_line - 1) / cache_line * cache_line;
    std::byte* const top = stack.bottom + stack.size - reserved;
    auto* const made = new (top) fiber(stack, stack_class, &fiber_main);
    made->home = this;
    made_.push_back(made);
    return made;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  // While it still runs on that stack: only this worker takes it again, and
  // not before it has left it.
  void put_fiber(fiber& idle) noexcept {
    fiber*& head = idle_fibers_[idle.stack_class()];
    idle.next = std::exchange(head, &idle);
  }

  shared_sched& shared_;
  const std::size_t index_;
  fiber root_;
  fiber* current_ = &root_;
  task* held_ = nullptr;  // Found by a fiber of another stack class.
  std::uint32_t turn_ = 0;
  bool tasks_first_ = false;
  fiber_queue ready_;
  // By stack class, last used first.
  std::array<fiber*, stack_pool::classes> idle_fibers_{};
  std::vector<fiber*> made_;
  deque tasks_;
  // Written by this worker, read by the watchdog.
  alignas(cache_line) std::atomic<task*> running_ = nullptr;
  // Any thread pushes, this worker takes all.
  alignas(cache_line) std::atomic<fiber*> mail_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
