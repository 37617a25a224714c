#pragma once

#include <atomic>
#include <cstdint>

#include "hotplate/base/lock.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// One that waits for a place.
struct waiter {
  waiter* ahead = nullptr;
  waiter* behind = nullptr;
  bool in_line = false;  // Guarded by the room's lock.
};

/// Those who wait for the same function, first come, first served.
struct waiting_line {
  waiter* first = nullptr;
  waiter* last = nullptr;
  std::int64_t length = 0;
  // The other lines in which somebody waits, in a circle.
  waiting_line* next = nullptr;
  waiting_line* previous = nullptr;
};

/// Who waits for a place, of all functions of an engine.
/// A joiner joins, fences and asks for a place once more; who leaves a place
/// does so, and then looks whether anybody waits: one of the two sees the
/// other. Thread safety: all members may be called from any thread.
class waiting_room {
 public:
  /// For who has just left a place with a seq_cst operation.
  bool anybody() const noexcept {
    return count_.load(std::memory_order_seq_cst) != 0;
  }
  std::int64_t size() const noexcept {
    return count_.load(std::memory_order_relaxed);
  }

  std::int64_t size_of(const waiting_line& line) const noexcept {
    const lock_guard hold(lock_);
    return line.length;
  }

  /// False if `most` wait in that line already.
  bool join(waiting_line& line, waiter& joining, std::int64_t most) noexcept {
    const lock_guard hold(lock_);
    if (line.length >= most) return false;
    joining.ahead = line.last;
    joining.behind = nullptr;
    *(line.last == nullptr ? &line.first : &line.last->behind) = &joining;
    line.last = &joining;
    joining.in_line = true;
    if (line.length++ == 0) open(line);
    count_.fetch_add(1, std::memory_order_seq_cst);
    return true;
  }

  /// False if it does not wait (any more).
  bool withdraw(waiting_line& line, waiter& leaving) noexcept {
    const lock_guard hold(lock_);
    if (!leaving.in_line) return false;
    remove(line, leaving);
    return true;
  }

  /// Offers places to the first in each line, until `enter(waiter&)` says that
  /// there is none for that line. Returns those who got one, by `behind`.
  template <typename Enter>
  waiter* call_in(const Enter& enter) noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    const lock_guard hold(lock_);
    waiter* called = nullptr;
    waiter** end = &called;
    // Once around; the next time it begins with another line.
    waiting_line* line = lines_;
    for (std::int64_t n = line_count_; n > 0; --n) {
      waiting_line* const next = line->next;
      while (line->first != nullptr && enter(*line->first)) {
        waiter& in = *line->first;
        remove(*line, in);
        in.behind = nullptr;
        *end = &in;
        end = &in.behind;
      }
      line = next;
    }
    if (lines_ != nullptr) lines_ = lines_->next;
    return called;
  }

 private:
  void remove(waiting_line& line, waiter& gone) noexcept {
    *(gone.ahead == nullptr ? &line.first : &gone.ahead->behind) = gone.behind;
    *(gone.behind == nullptr ? &line.last : &gone.behind->ahead) = gone.ahead;
    gone.in_line = false;
    if (--line.length == 0) close(line);
    count_.fetch_sub(1, std::memory_order_relaxed);
  }

  void open(waiting_line& line) noexcept {
    ++line_count_;
    if (lines_ == nullptr) {
      lines_ = line.next = line.previous = &line;
      return;
    }
    line.next = lines_;
    line.previous = lines_->previous;
    line.previous->next = line.next->previous = &line;
  }

  void close(waiting_line& line) noexcept {
    --line_count_;
    line.previous->next = line.next;
    line.next->previous = line.previous;
    if (lines_ == &line) lines_ = line_count_ == 0 ? nullptr : line.next;
  }

  // Written under the lock.
  std::atomic<std::int64_t> count_ = 0;
  mutable lock lock_;  // Guards the rest, and all lines.
  waiting_line* lines_ = nullptr;
  std::int64_t line_count_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
