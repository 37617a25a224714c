#pragma once

#include "hotplate/arena/chunk_pool.hpp"

// Chunks that outlive the arena: responses, made where they stay.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline detachment chunk_pool::detach(std::size_t bytes) noexcept {
  const std::size_t order = order_of(bytes);
  if (order > largest) return {};
  const std::size_t size = std::size_t{1} << order;
  // relaxed: a count; what it counts is handed over under the lock.
  std::size_t held = held_.load(std::memory_order_relaxed);
  do {
    const std::size_t then = (held & ~used_by_engine) + size;
    if (then > most_held_) return {nullptr, then};
  } while (!held_.compare_exchange_weak(held, held + size,
                                        std::memory_order_relaxed));
  if (std::byte* const start = detach_one(order)) {
    poison(start, size);
    unpoison(start, bytes);
    return {start, 0};
  }
  unhold(size);
  return {};
}

inline void chunk_pool::rejoin(std::byte* start, std::size_t bytes,
                               bool scrub) noexcept {
  // In a forked child, the lock's holder may be missing: leaked on purpose.
  if (threaded_ && process_.is_child()) return;
  const std::size_t order = order_of(bytes);
  if (scrub) overwrite(start, start + bytes);
  reattach(start, order);
  unhold(std::size_t{1} << order);
}

inline std::byte* chunk_pool::detach_one(std::size_t order) noexcept {
  const lock_guard hold(lock_);
  auto* const start = reinterpret_cast<std::byte*>(take_one(order));
  if (start != nullptr && order <= largest_shared) {
    ++region_of(start).detached;
  }
  return start;
}

inline void chunk_pool::reattach(std::byte* start, std::size_t order) noexcept {
  const lock_guard hold(lock_);
  unpoison(start, sizeof(chunk));
  auto* const done = new (start) chunk{};
  done->size = std::size_t{1} << order;
  if (order > largest_shared) {
    retired_ ? unmap(done, done->size) : recycle(done);
    return;
  }
  mapping& home = region_of(start);
  --home.detached;
  retired_ ? unmap_unless_held(home) : recycle(done);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
