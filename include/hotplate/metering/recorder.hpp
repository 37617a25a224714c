#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <new>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/metering/histogram.hpp"
#include "hotplate/stats.hpp"
#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What one writer has counted of one function.
struct recorder_shard {
  std::array<tally, errc_count> by_code{};
  std::array<tally, start_kind_count> by_start{};
  tally billed_ms{};
  tally memory_ms{};  // MiB times billed milliseconds.
  // A figure that is 0 for most is recorded where it is not, and the zeros
  // follow from the count; running time is recorded where it is not the
  // duration.
  histogram queued, init, duration, suspended, arena_peak;
  histogram split_duration, split_running;  // Of handlers that suspended.

  HOTPLATE_INLINE void record(const usage& used) noexcept {
    add(by_code[static_cast<std::size_t>(used.status)], 1);
    add(by_start[static_cast<std::size_t>(used.start)], 1);
    if (used.start == start_kind::none) return;
    const auto billed = static_cast<std::uint64_t>(used.billed().count());
    add(billed_ms, billed);
    add(memory_ms, billed * used.memory_mib);
    if (used.queued.count() > 0) queued.record(count(used.queued));
    if (was_made(used.start)) [[unlikely]]
      init.record(count(used.init));
    if (used.reached == stage::handler) record_handler(used);
  }

 private:
  HOTPLATE_INLINE void record_handler(const usage& used) noexcept {
    if (used.arena_peak_bytes != 0) arena_peak.record(used.arena_peak_bytes);
    if (used.suspended.count() == 0) [[likely]] {
      return duration.record(count(used.duration));
    }
    record_split(count(used.duration), count(used.running()),
                 count(used.suspended));
  }
  HOTPLATE_NOINLINE void record_split(std::uint64_t whole,
                                      std::uint64_t running,
                                      std::uint64_t not_running) noexcept {
    split_duration.record(whole);
    split_running.record(running);
    suspended.record(not_running);
  }

  static std::uint64_t count(std::chrono::nanoseconds time) noexcept {
    return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
  }
};

/// Counts one function's invocations without locked instructions: every worker
/// writes a shard of its own, made at its first invocation of the function;
/// all other threads, spare workers among them, share one more, under a lock.
/// Thread safety: record() from that worker; the rest from any thread.
class recorder {
 public:
  explicit recorder(std::size_t workers)
      : outside_(workers), shards_(workers + 1) {}
  recorder(const recorder&) = delete;
  recorder& operator=(const recorder&) = delete;
  ~recorder() {
    for (std::size_t i = 0; i <= outside_; ++i) delete shards_[i].load();
  }

  /// Into the caches, where the worker's shard is named.
  void fetch(std::size_t worker) const noexcept {
    __builtin_prefetch(&shards_[worker]);
  }

  HOTPLATE_INLINE void record(std::size_t worker, const usage& used) noexcept {
    if (recorder_shard* const own = shard(worker)) own->record(used);
  }

  HOTPLATE_NOINLINE void record_outside(const usage& used) noexcept {
    const lock_guard hold(lock_);
    record(outside_, used);
  }

  /// Billed, so rounded up to 1 ms; at least that much.
  std::chrono::milliseconds mean_duration() const noexcept {
    std::uint64_t billed = 0;
    std::uint64_t started = 0;
    for (std::size_t i = 0; i <= outside_; ++i) {
      const recorder_shard* const one =
          shards_[i].load(std::memory_order_acquire);
      if (one == nullptr) continue;
      billed += read(one->billed_ms);
      for (std::size_t start = 1; start < start_kind_count; ++start) {
        started += read(one->by_start[start]);
      }
    }
    return std::chrono::milliseconds(
        std::max<std::uint64_t>(1, started == 0 ? 1 : billed / started));
  }

  /// Adds this function's counts so far to `sum`.
  void read_into(function_stats& sum) const {
    for (std::size_t i = 0; i <= outside_; ++i) {
      // acquire: pairs with the release in make().
      const recorder_shard* const one =
          shards_[i].load(std::memory_order_acquire);
      if (one != nullptr) add_to(sum, *one);
    }
  }

 private:
  recorder_shard* shard(std::size_t at) noexcept {
    recorder_shard* const own = shards_[at].load(std::memory_order_relaxed);
    return own != nullptr ? own : make(at);
  }

  HOTPLATE_NOINLINE recorder_shard* make(std::size_t at) noexcept {
    auto* const made = new (std::nothrow) recorder_shard;
    // release: publishes the zeros; pairs with the acquire in read_into().
    shards_[at].store(made, std::memory_order_release);
    return made;
  }

  static void add_to(function_stats& sum, const recorder_shard& one) {
    for (std::size_t i = 0; i < errc_count; ++i) {
      sum.by_code[i] += read(one.by_code[i]);
    }
    sum.cold += started(one, start_kind::cold);
    sum.warm += started(one, start_kind::warm);
    sum.provisioned += started(one, start_kind::provisioned);
    sum.provisioned_warm += started(one, start_kind::provisioned_warm);
    sum.restored += started(one, start_kind::restored);
    sum.billed += std::chrono::milliseconds(read(one.billed_ms));
    sum.gb_seconds +=
        static_cast<double>(read(one.memory_ms)) / 1024.0 / 1000.0;
    merge_all(sum, one);
  }

  static std::uint64_t started(const recorder_shard& one,
                               start_kind how) noexcept {
    return read(one.by_start[static_cast<std::size_t>(how)]);
  }

  static void merge_all(function_stats& sum, const recorder_shard& one) {
    std::uint64_t all = 0;
    for (const tally& each : one.by_start) all += read(each);
    all -= started(one, start_kind::none);
    merge(sum.init, one.init);
    const std::uint64_t split = merge(sum.duration, one.split_duration);
    const std::uint64_t handlers = merge(sum.duration, one.duration) + split;
    merge(sum.running, one.duration);
    merge(sum.running, one.split_running);
    add_zeros(sum.queued, merge(sum.queued, one.queued), all);
    add_zeros(sum.suspended, merge(sum.suspended, one.suspended), handlers);
    add_zeros(sum.arena_peak, merge(sum.arena_peak, one.arena_peak), handlers);
  }

  static std::uint64_t merge(distribution& sum, const histogram& one) {
    std::uint64_t all = 0;
    for (std::size_t at = 0; at < histogram::buckets; ++at) {
      const std::uint32_t count = one.count_at(at);
      if (count == 0) continue;
      all += count;
      sum.add(histogram::floor_of(at), histogram::floor_of(at + 1), count);
    }
    return all;
  }

  static void add_zeros(distribution& sum, std::uint64_t recorded,
                        std::uint64_t all) {
    if (all > recorded) sum.add(0, 1, all - recorded);
  }

  const std::size_t outside_;
  // Each written by its worker, but the last: under the lock.
  const owned_array<std::atomic<recorder_shard*>> shards_;
  lock lock_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
