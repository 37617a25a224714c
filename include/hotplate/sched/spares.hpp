#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "hotplate/base/owned.hpp"
#include "hotplate/base/thread.hpp"
#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Keeps as many threads at work as there are workers, although handlers hold
/// some of them: for each that is lost a spare one serves meanwhile. Lost is a
/// worker whose handler goes on although its invocation is over, or blocks its
/// thread. One that computes within its time is not: more threads would only
/// slow it down; but while all do so for long, one spare serves the others.
/// Thread safety: the watchdog's, but for the figures; join() after its end.
class spares {
 public:
  /// Whether what runs has been answered already.
  using is_over = bool (*)(const task& running) noexcept;
  using thread_main = void (*)(void* target, worker& on);

  spares(shared_sched& shared, std::size_t regular, thread_main run,
         void* target)
      : shared_(shared),
        regular_(regular),
        run_(run),
        target_(target),
        sights_(shared.workers.size()),
        slots_(shared.workers.size() - regular) {}

  /// Every tick: starts a spare that is needed, dismisses one that is not.
  void look_after(std::int64_t now, is_over over) noexcept {
    if (slots_.size() == 0) return;
    const std::size_t wanted = wanted_now(now, over);
    const std::size_t serving = count_serving();
    if (serving > wanted) {
      if (surplus_since_ == 0) surplus_since_ = now;
      if (now - surplus_since_ >= surplus_for) dismiss_one();
      return;
    }
    surplus_since_ = 0;
    if (serving < wanted && shared_.anything_unstarted()) engage_one();
  }

  void join() noexcept {
    for (slot& each : slots_) {
      if (each.thread.joinable()) each.thread.join();
    }
  }

  /// Threads now, and started so far; from any thread.
  std::size_t running() const noexcept {
    return running_.load(std::memory_order_relaxed);
  }
  std::uint64_t started() const noexcept {
    return started_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::int64_t held_after = 10'000'000;
  static constexpr std::int64_t long_after = 100'000'000;
  static constexpr std::int64_t surplus_for = 20'000'000;

  /// What was last seen of a worker.
  struct sight {
    std::uint32_t turn = 0;
    std::int64_t since = 0;
    std::int64_t looked_at = 0;
    bool looked_blocked = false;
    bool blocked = false;  // When looked at twice.
  };
  struct slot {
    std::thread thread;
    bool serving = false;
    std::atomic<bool> left = false;
  };

  std::size_t wanted_now(std::int64_t now, is_over over) noexcept {
    std::size_t lost = 0;
    bool all_held_long = true;
    for (std::size_t i = 0; i < shared_.workers.size(); ++i) {
      if (i >= regular_ && !slots_[i - regular_].serving) continue;
      worker& one = shared_.workers[i];
      const std::int64_t held = held_for(one, sights_[i], now);
      if (i < regular_ && held < long_after) all_held_long = false;
      if (held >= held_after && is_lost(one, sights_[i], now, over)) ++lost;
    }
    return lost == 0 && all_held_long ? 1 : lost;
  }

  /// How long it has run the same handler, without a look at its queues.
  static std::int64_t held_for(const worker& one, sight& last,
                               std::int64_t now) noexcept {
    const std::uint32_t turn = one.turn();
    if (one.running() == nullptr || turn != last.turn || last.since == 0) {
      last = {turn, now, 0, false, false};
    }
    return now - last.since;
  }

  static bool is_lost(worker& one, sight& last, std::int64_t now,
                      is_over over) noexcept {
    const task* const running = one.running();
    if (running != nullptr && over(*running)) return true;
    if (now - last.looked_at < held_after) return last.blocked;
    const bool before = last.looked_blocked;
    last.looked_blocked = one.thread().is_blocked();
    last.looked_at = now;
    last.blocked = before && last.looked_blocked;
    return last.blocked;
  }

  std::size_t count_serving() noexcept {
    std::size_t serving = 0;
    for (slot& each : slots_) {
      if (each.left.load(std::memory_order_acquire)) see_off(each);
      serving += each.serving ? 1U : 0U;
    }
    return serving;
  }

  void see_off(slot& gone) noexcept {
    gone.thread.join();
    gone.left.store(false, std::memory_order_relaxed);
    gone.serving = false;
    running_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// One that is on its way out, else a new one; if there can be none, the next
  /// tick tries again.
  void engage_one() noexcept {
    for (slot& each : slots_) {
      if (each.serving || !each.thread.joinable()) continue;
      each.serving = true;
      return worker_of(each).engage();
    }
    for (slot& each : slots_) {
      if (!each.thread.joinable()) return start(each);
    }
  }

  // Counted before it may answer anybody.
  void start(slot& fresh) noexcept {
    worker& on = worker_of(fresh);
    on.engage();
    sights_[on.index()] = {};
    running_.fetch_add(1, std::memory_order_relaxed);
    started_.fetch_add(1, std::memory_order_relaxed);
    try {
      fresh.thread = start_thread<&spares::work>(*this, fresh);
      fresh.serving = true;
    } catch (...) {  // No memory, or no thread.
      running_.fetch_sub(1, std::memory_order_relaxed);
      started_.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  void work(slot& own) noexcept {
    run_(target_, worker_of(own));
    // release: pairs with the acquire in count_serving().
    own.left.store(true, std::memory_order_release);
  }

  void dismiss_one() noexcept {
    for (std::size_t i = slots_.size(); i > 0; --i) {
      slot& last = slots_[i - 1];
      if (!last.serving) continue;
      last.serving = false;
      return worker_of(last).dismiss();
    }
  }

  worker& worker_of(const slot& of) noexcept {
    return shared_
        .workers[regular_ + static_cast<std::size_t>(&of - &slots_[0])];
  }

  shared_sched& shared_;
  const std::size_t regular_;
  const thread_main run_;
  void* const target_;
  owned_array<sight> sights_;
  owned_array<slot> slots_;
  std::int64_t surplus_since_ = 0;
  // Written by the watchdog, for statistics.
  std::atomic<std::size_t> running_ = 0;
  std::atomic<std::uint64_t> started_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
