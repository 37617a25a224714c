#pragma once

#include <sys/prctl.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/base/thread.hpp"
#include "hotplate/sched/timers.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The thread that looks after time: it fires timers and, every millisecond
/// while anything runs, inspects the workers. A second after the last run it
/// sleeps until the next timer; the worker that ends the idleness stirs it.
/// Thread safety: asleep(), stir() and arm() from any thread.
class watchdog {
 public:
  /// Called every tick; returns whether anything is running.
  using inspection = bool (*)(void* target, std::int64_t now);

  explicit watchdog(clock_source& time) noexcept : clock_(time) {}

  timer_queue& timers() noexcept { return timers_; }

  void start(inspection inspect, void* target, std::string name) {
    inspect_ = inspect;
    target_ = target;
    name_ = std::move(name);
    thread_ = start_thread<&watchdog::run>(*this);
  }

  void stop() noexcept {
    if (!thread_.joinable()) return;
    stopping_.store(true, std::memory_order_relaxed);
    stir();
    thread_.join();
  }

  /// Relaxed, and read after `running` was stored: the watchdog, once it has
  /// said that it sleeps, inspects everything again a full tick later.
  bool asleep() const noexcept {
    return asleep_.load(std::memory_order_relaxed);
  }

  HOTPLATE_NOINLINE void stir() noexcept {
    asleep_.store(false, std::memory_order_relaxed);
    calls_.fetch_add(1, std::memory_order_seq_cst);
    futex_wake(&calls_, 1);
  }

  /// Arms, and makes sure that the thread is up in time.
  bool arm(timer& armed, std::int64_t when, timer_order order) noexcept {
    if (!timers_.arm(armed, when, order)) return false;
    // seq_cst: pairs with the fence in sleep().
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (when < wakes_at_.load(std::memory_order_seq_cst)) stir();
    return true;
  }

 private:
  static constexpr std::int64_t tick = 1'000'000;
  static constexpr std::int64_t drowsy_after = 1'000'000'000;
  static constexpr std::int64_t anchor_every = 100'000'000;

  void run() noexcept {
    pthread_setname_np(pthread_self(), name_.c_str());
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    std::int64_t last_run = clock_.now();
    while (!stopping_.load(std::memory_order_relaxed)) {
      const std::uint32_t calls = calls_.load(std::memory_order_seq_cst);
      const std::int64_t now = look(last_run);
      const bool idle = now - last_run > drowsy_after;
      // Announce first, sleep only if a whole further tick saw nothing run.
      const bool sleeps = asleep_.exchange(idle) && idle;
      sleep(calls, sleeps ? forever : now + tick);
    }
  }

  std::int64_t look(std::int64_t& last_run) noexcept {
    const std::int64_t now = clock_.now();
    if (now - anchored_ > anchor_every) {
      clock_.anchor();
      anchored_ = now;
    }
    while (timers_.fire_one(now)) last_run = now;
    if (inspect_(target_, now)) last_run = now;
    return now;
  }

  void sleep(std::uint32_t calls, std::int64_t until) noexcept {
    // seq_cst with arm(): either it sees this time, or this sees its timer.
    wakes_at_.store(until, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const std::int64_t due = timers_.next();
    if (due < until) {
      until = due;
      wakes_at_.store(until, std::memory_order_seq_cst);
    }
    futex_wait(&calls_, calls, until);
    wakes_at_.store(0, std::memory_order_seq_cst);
  }

  clock_source& clock_;
  timer_queue timers_;
  inspection inspect_ = nullptr;
  void* target_ = nullptr;
  std::string name_;
  std::int64_t anchored_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> asleep_ = false;
  // Changes whenever somebody stirs; the thread sleeps on it.
  std::atomic<std::uint32_t> calls_ = 0;
  // 0 while awake: it looks at the timers before it sleeps anyway.
  std::atomic<std::int64_t> wakes_at_ = 0;
  std::thread thread_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
