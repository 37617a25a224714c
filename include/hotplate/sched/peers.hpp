#pragma once

#include <algorithm>
#include <cstdint>

#include "hotplate/sched/worker.hpp"

// What workers do with one another: fibers that move, tasks that are stolen.

namespace hotplate::inline HOTPLATE_ABI::detail {

// To all workers, oldest first: on its own deque it would come before what has
// waited longer. With no memory for that, it stays.
inline void worker::offer(fiber& ready) noexcept {
  ready.as_task().refuse = stay_;
  if (shared_.arrivals.push(&ready.as_task())) {
    shared_.wake_any();
  } else {
    send(ready);
  }
}

inline void worker::resume(fiber& ready) noexcept {
  if (&ready == &root_) {
    call_root();
  } else if (!lets_go(ready)) {
    ready_.push(ready);
  } else if (ready.call()) {
    offer(ready);
  }
}

inline void worker::send(fiber& ready) noexcept {
  &ready == &root_ ? call_root() : mail_.push(ready);
  nudge();
}

inline void worker::nudge() noexcept {
  if (!is_plain()) shared_.idle.notify(shared_.beds[index_]);
  if (!is_regular()) shared_.idle.notify(retreat_);
}

inline void worker::park(std::int64_t when) noexcept {
  bed& own = serves_ ? shared_.beds[index_] : retreat_;
  shared_.idle.lie_down(own);
  // Armed before a pumping thread could be woken, maybe.
  if (when != forever) when = std::min(when, shared_.dog.timers().next());
  if (!anything_ready() && !is_to_trim() && serves_ != dismissed() &&
      !may_leave() && !shared_.stopping.load(std::memory_order_relaxed)) {
    shared_.idle.sleep(own, when);
  }
  shared_.idle.get_up(own);
}

inline void worker::stay(task& self, worker&) noexcept {
  fiber& ready = static_cast<mover&>(self).ready;
  ready.home()->send(ready);
}

inline void worker::change_orders(bool dismissed) noexcept {
  dismissed_.store(dismissed, std::memory_order_release);
  if (is_plain()) return;
  shared_.idle.notify(shared_.beds[index_]);
  shared_.idle.notify(retreat_);
}

/// Reads its orders; false once a dismissed one has nothing left to finish.
inline bool worker::stays() noexcept {
  if (is_regular()) return true;
  const bool served = std::exchange(serves_, !dismissed());
  // It may just have been woken for what another has to take now.
  if (served && !serves_) shared_.wake_any();
  return serves_ || anything_ready() || !fibers_.all_idle();
}

inline void worker::take_in(fiber& come) noexcept {
  worker& from = *come.home();
  if (&from != this) {
    fibers_.adopt(come, from.fibers_);
    if (!from.is_regular()) from.nudge();
  } else if (shared_.restless.load(std::memory_order_relaxed)) {
    return offer(come);
  }
  go(come);
}

// On the stack that was reached.
inline void worker::end_stay(void* argument) noexcept {
  const move left = *static_cast<move*>(argument);
  if (left.then.act != nullptr) left.then.act(left.then.argument);
  if (left.self.leave()) left.from.offer(left.self);
}

inline shared_sched::shared_sched(clock_source& time, std::size_t regular,
                                  std::size_t spare,
                                  const overflow_watch* overflow_reports,
                                  chunk_source* chunks)
    : arrivals(chunks),
      dog(time),
      beds(regular + spare),
      overflows(overflow_reports) {
  for (std::size_t i = 0; i < regular + spare; ++i) {
    workers.push_back(make_owned<worker>(
        *this, i, i < regular ? worker_kind::regular : worker_kind::spare));
  }
}

inline shared_sched::~shared_sched() = default;

inline task* task_source::steal_from_others() noexcept {
  const std::size_t count = shared_.workers.size();
  for (std::size_t i = 1; i < count; ++i) {
    task_source& victim = shared_.workers[(index_ + i) % count].tasks();
    if (task* const got = victim.steal()) {
      steal_more(victim);
      return got;
    }
  }
  return nullptr;
}

// Half of what it has: thief and owner meet less often. If there is more, here
// or there, the next one is told: who makes many ready tells one at a time.
inline void task_source::steal_more(task_source& victim) noexcept {
  const std::int64_t wanted = std::min(victim.size() / 2, loot);
  task* taken[loot];
  std::int64_t count = 0;
  while (count < wanted && (taken[count] = victim.steal()) != nullptr) ++count;
  // The oldest is its next. There is room: who steals has none of his own.
  for (std::int64_t i = count; i-- > 0;) tasks_.push(taken[i]);
  if (count > 0 || !victim.empty()) shared_.wake_any();
}

inline bool shared_sched::anything_unstarted() const noexcept {
  if (!arrivals.empty()) return true;
  for (worker& one : workers) {
    if (!one.tasks().empty()) return true;
  }
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
