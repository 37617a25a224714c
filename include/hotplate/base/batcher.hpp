#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/base/futex.hpp"
#include "hotplate/base/record_ring.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Rings of records, the thread that empties them, and the callback that gets
/// them in batches.
/// Thread safety: all members may be called from any thread.
template <typename Record>
class batcher {
 public:
  using callback = std::function<void(std::span<const Record>)>;
  struct shape {
    std::size_t capacity;
    std::size_t most_in_batch;
    std::int64_t interval;  // ns; 0: no thread.
  };

  batcher(callback deliver, const shape& its)
      : deliver_(std::move(deliver)), its_(its), rings_{ring(each(its)),
                                                        ring(each(its)),
                                                        ring(each(its)),
                                                        ring(each(its)),
                                                        ring(each(its)),
                                                        ring(each(its)),
                                                        ring(each(its)),
                                                        ring(each(its))} {
    batch_.reserve(its_.most_in_batch);
    if (its_.interval > 0) thread_ = std::thread([this] { run(); });
  }
  batcher(const batcher&) = delete;
  batcher& operator=(const batcher&) = delete;
  ~batcher() {
    call(stop);
    if (thread_.joinable()) thread_.join();
    flush();
  }

  /// `hint` tells threads apart, more or less; `fill(record)` writes one.
  template <typename Fill>
  void put(std::uint32_t hint, const Fill& fill) noexcept {
    constexpr std::uint32_t spread = 0x9e3779b1;
    const std::size_t first = hint * spread >> 29;
    for (std::size_t i = 0; i < shards; ++i) {
      const auto room = rings_[(first + i) % shards].put(fill);
      if (room == room_left::none) [[unlikely]]
        continue;
      return call(room == room_left::much ? come : hurry);
    }
    drop();
  }
  void drop() noexcept { dropped_.fetch_add(1, std::memory_order_relaxed); }

  std::size_t flush() {
    const std::lock_guard hold(delivering_);
    std::size_t all = 0;
    for (ring& one : rings_) {
      all += one.take_all([this](const Record& record) {
        batch_.push_back(record);
        if (batch_.size() >= its_.most_in_batch) deliver();
      });
    }
    if (!batch_.empty()) deliver();
    return all;
  }

  std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }
  std::uint64_t failed() const noexcept {
    return failed_.load(std::memory_order_relaxed);
  }

 private:
  using ring = record_ring<Record>;
  static constexpr std::size_t shards = 8;
  static std::size_t each(const shape& its) noexcept {
    return (its.capacity + shards - 1) / shards;
  }
  static constexpr std::uint32_t quiet = 0, come = 1, hurry = 2, stop = 3;

  // Under delivering_.
  void deliver() noexcept {
    try {
      deliver_(batch_);
    } catch (...) {
      failed_.fetch_add(batch_.size(), std::memory_order_relaxed);
    }
    batch_.clear();
  }

  /// seq_cst: whoever finds it called already is seen by the flush that follows
  /// the thread's exchange; see record_ring.
  void call(std::uint32_t why) noexcept {
    std::uint32_t seen = called_.load(std::memory_order_seq_cst);
    while (seen < why) {
      if (!called_.compare_exchange_weak(seen, why)) continue;
      return futex_wake(&called_, 1);
    }
  }

  void run() noexcept {
    for (std::uint32_t why = quiet; why != stop;) {
      futex_wait(&called_, quiet);
      futex_wait(&called_, come, monotonic_now() + its_.interval);
      why = called_.exchange(quiet, std::memory_order_seq_cst);
      if (why != quiet) flush();
    }
  }

  const callback deliver_;
  const shape its_;
  std::array<ring, shards> rings_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::mutex delivering_;
  std::vector<Record> batch_;  // Under delivering_.
  // Raised by who meters, lowered by the thread, which sleeps on it.
  std::atomic<std::uint32_t> called_ = quiet;
  std::thread thread_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
