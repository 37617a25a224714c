#pragma once

#include <atomic>
#include <cstdint>

#include "hotplate/base/lock.hpp"
#include "hotplate/sched/worker.hpp"

// Fibers and threads that wait for the same thing stand in line: first come,
// first served. line.hpp says how.

namespace hotplate::inline HOTPLATE_ABI::detail {

class core;

/// One who stands in line; lives on its own stack. The lobby's guard guards all
/// of it; `served` is also read without.
struct guest {
  guest* previous = nullptr;
  guest* next = nullptr;
  void* item = nullptr;  ///< What is handed over.
  fiber* on = nullptr;   // Null: a thread, or a fiber that is not left yet.
  std::uint32_t wait = 0;
  /// 0: not yet; else how. A thread sleeps on it.
  std::atomic<std::uint32_t> served = 0;
};

inline constexpr std::uint32_t with_success = 1;
inline constexpr std::uint32_t with_refusal = 2;

/// Wakes one who has been served; to be delivered once the guard is released,
/// so that it does not meet it. The guest, and its lobby, may be gone by then.
struct summons {
  core* engine = nullptr;
  fiber* on = nullptr;
  std::uint32_t wait = 0;
  const void* word = nullptr;
};

/// First in, first out. Under the lobby's guard.
class line {
 public:
  bool empty() const noexcept { return first_ == nullptr; }
  guest& first() noexcept { return *first_; }

  void join(guest& last) noexcept {
    last.previous = last_;
    *(last_ == nullptr ? &first_ : &last_->next) = &last;
    last_ = &last;
  }
  void leave(guest& one) noexcept {
    *(one.previous == nullptr ? &first_ : &one.previous->next) = one.next;
    *(one.next == nullptr ? &last_ : &one.next->previous) = one.previous;
  }

 private:
  guest* first_ = nullptr;
  guest* last_ = nullptr;
};

/// Where lines are formed: a guard for them and for what they wait for. A
/// handler's fiber suspends, any other thread blocks, the pumping thread pumps.
/// A fiber that stands in line may be served before it has been left; only its
/// waking has to wait until then, and it looks itself.
/// Thread safety: all members may be called from any thread.
/// Stress: tests/stress/suspend_stress_test.cpp
class lobby {
 public:
  explicit lobby(core& engine) noexcept : engine_(engine) {}
  lobby(const lobby&) = delete;
  lobby& operator=(const lobby&) = delete;

  core& engine() const noexcept { return engine_; }
  lock& guard() noexcept { return guard_; }

  /// Whether anybody who is still there stands in `of`; a forked child has
  /// none, and may find the guard held for ever.
  bool awaited(const line& of) noexcept;

  /// Under the guard: the first leaves the line, with an answer.
  [[nodiscard]] summons serve_first(
      line& of, std::uint32_t answer = with_success) noexcept {
    guest& first = of.first();
    of.leave(first);
    const summons to{&engine_, first.on, first.wait, &first.served};
    // release: publishes what was handed over; pairs with stand().
    first.served.store(answer, std::memory_order_release);
    return to;
  }
  static void deliver(const summons& to) noexcept;

  /// Waits, having joined the line, until served or until `until`; returns the
  /// answer, or 0, and is in line no more. Throws invocation_cancelled if the
  /// handler is over, unless an exception is on its way out: then it returns 0,
  /// or, if it `must`, waits on. So it does where no invocation waits. Throws
  /// bad_outcome where it would wait forever for a manual clock.
  std::uint32_t stand(line& in, guest& self, worker* here, std::int64_t until,
                      bool must = false);

 private:
  struct parting {
    lock& guard;
    guest& self;
    fiber& on;
    std::uint32_t wait;
  };
  static void publish(void* argument) noexcept;
  friend class core;  // For the address of publish().
  worker* suspend(guest& self, worker* here, std::int64_t until, bool must);
  worker* suspend_alone(guest& self, worker& here, bool must);
  void block(guest& self, std::int64_t until) noexcept;
  void pump(guest& self, std::int64_t until);

  core& engine_;
  lock guard_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
