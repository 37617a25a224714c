#pragma once

#include <sched.h>

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/owned.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

enum class room_left : std::uint8_t { none, little, much };

/// A bounded queue of records that many threads fill and one at a time empties.
/// Source: Vyukov's bounded queue; a cell's turn tells who may use it next.
/// Thread safety: put() from any thread, never waits; take_all() from one at a
/// time.
/// I1: the cell of position p is free for p while its turn is p, and holds p's
///     record while its turn is p + 1; then it is free for p + size.
/// Stress: tests/stress/batched_meter_stress_test.cpp
template <typename Record>
class record_ring {
 public:
  explicit record_ring(std::size_t least)
      : mask_(std::bit_ceil(least < 2 ? 2 : least) - 1), cells_(mask_ + 1) {
    for (std::size_t i = 0; i <= mask_; ++i) {
      cells_[i].turn.store(i, std::memory_order_relaxed);
    }
  }

  /// Calls fill(record) where there is room.
  template <typename Fill>
  room_left put(const Fill& fill) noexcept {
    std::uint64_t at = tail_.load(std::memory_order_relaxed);
    for (;;) {
      cell& own = cells_[at & mask_];
      // acquire: the last record was read; pairs with take_all().
      const std::uint64_t turn = own.turn.load(std::memory_order_acquire);
      if (turn < at) return room_left::none;
      // seq_cst: who then finds the taker called knows that it has yet to look
      // at the tail.
      if (turn == at &&
          tail_.compare_exchange_weak(at, at + 1, std::memory_order_seq_cst,
                                      std::memory_order_relaxed)) {
        fill(own.record);
        // release: publishes the record; pairs with take_all().
        own.turn.store(at + 1, std::memory_order_release);
        const std::uint64_t used = at - head_.load(std::memory_order_relaxed);
        return 2 * used < mask_ ? room_left::much : room_left::little;
      }
      if (turn != at) at = tail_.load(std::memory_order_relaxed);
    }
  }

  /// Calls take(record) for each that was put before, waiting for those who are
  /// just filling theirs; returns how many.
  template <typename Take>
  std::size_t take_all(const Take& take) {
    const std::uint64_t end = tail_.load(std::memory_order_seq_cst);
    const std::uint64_t from = head_.load(std::memory_order_relaxed);
    for (std::uint64_t at = from; at != end; ++at) {
      cell& next = cells_[at & mask_];
      // acquire: sees the record; pairs with put().
      while (next.turn.load(std::memory_order_acquire) != at + 1) sched_yield();
      take(next.record);
      next.turn.store(at + mask_ + 1, std::memory_order_release);
      head_.store(at + 1, std::memory_order_relaxed);
    }
    return static_cast<std::size_t>(end - from);
  }

 private:
  struct cell {
    std::atomic<std::uint64_t> turn = 0;
    Record record;
  };

  const std::uint64_t mask_;
  const owned_array<cell> cells_;
  alignas(cache_line) std::atomic<std::uint64_t> tail_ = 0;
  // Written by who takes; read elsewhere to tell how much room is left.
  alignas(cache_line) std::atomic<std::uint64_t> head_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
