#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/base/futex.hpp"
#include "hotplate/base/record_ring.hpp"
#include "hotplate/base/text.hpp"
#include "hotplate/batched_meter.hpp"
#include "hotplate/error.hpp"

// What is behind a batched_meter.

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

/// The rings, the thread that empties them, and who it hands records to. Apart
/// from the meter, which in a forked child leaves all of it as it is: locks and
/// records may be in the hands of threads that are not there.
/// Thread safety: all members may be called from any thread.
class batcher {
 public:
  batcher(batched_meter::callback deliver, const batch_config& config)
      : deliver_(std::move(deliver)),
        config_(checked(config, deliver_ != nullptr)),
        rings_{ring(each(config)), ring(each(config)), ring(each(config)),
               ring(each(config)), ring(each(config)), ring(each(config)),
               ring(each(config)), ring(each(config))} {
    batch_.reserve(config_.most_in_batch);
    if (config_.interval.count() > 0) thread_ = std::thread([this] { run(); });
  }
  batcher(const batcher&) = delete;
  batcher& operator=(const batcher&) = delete;
  ~batcher() {
    call(stop);
    if (thread_.joinable()) thread_.join();
    flush();
  }

  void put(const metered_invocation& seen) noexcept {
    // An invocation's record in the engine tells its worker, more or less.
    constexpr std::uint32_t spread = 0x9e3779b1;
    const auto slot = static_cast<std::uint32_t>(seen.usage.id.number >> 32);
    const std::size_t first = slot * spread >> 29;
    for (std::size_t i = 0; i < shards; ++i) {
      const auto room = rings_[(first + i) % shards].put([&](auto& record) {
        record = {seen.usage, seen.function, seen.tenant, seen.trace};
      });
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
      all += one.take_all([this](const metered_record& record) {
        batch_.push_back(record);
        if (batch_.size() >= config_.most_in_batch) deliver();
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
  using ring = record_ring<metered_record>;
  static constexpr std::size_t shards = 8;
  static const batch_config& checked(const batch_config& config,
                                     bool delivers) {
    std::vector<std::string> problems;
    const auto within = [&](std::string_view field, std::int64_t value,
                            std::int64_t least, std::int64_t most,
                            std::string_view unit) {
      if (value >= least && value <= most) return;
      problems.push_back(sentence({field, " = ", value, " ", unit,
                                   ": allowed are ", least, " to ", most}));
    };
    constexpr std::int64_t many = 1 << 30;
    if (!delivers) problems.emplace_back("deliver: it is null");
    within("capacity", static_cast<std::int64_t>(config.capacity), 1, many,
           "records");
    within("most_in_batch", static_cast<std::int64_t>(config.most_in_batch), 1,
           many, "records");
    within("interval", config.interval.count(), 0, 86'400'000, "ms");
    if (!problems.empty()) throw bad_config(std::move(problems));
    return config;
  }
  static std::size_t each(const batch_config& config) noexcept {
    return (config.capacity + shards - 1) / shards;
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
    const std::int64_t interval =
        std::chrono::nanoseconds(config_.interval).count();
    for (std::uint32_t why = quiet; why != stop;) {
      futex_wait(&called_, quiet);
      futex_wait(&called_, come, monotonic_now() + interval);
      why = called_.exchange(quiet, std::memory_order_seq_cst);
      if (why != quiet) flush();
    }
  }

  const batched_meter::callback deliver_;
  const batch_config config_;
  std::array<ring, shards> rings_;
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
  std::mutex delivering_;
  std::vector<metered_record> batch_;  // Under delivering_.
  // Raised by who meters, lowered by the thread, which sleeps on it.
  std::atomic<std::uint32_t> called_ = quiet;
  std::thread thread_;
};

}  // namespace detail

inline batched_meter::batched_meter(callback deliver,
                                    const batch_config& config)
    : batcher_(
          detail::make_owned<detail::batcher>(std::move(deliver), config)) {}

inline batched_meter::~batched_meter() {
  if (process_.is_child()) static_cast<void>(batcher_.release());
}

inline void batched_meter::on_invocation(
    const metered_invocation& seen) noexcept {
  process_.is_child() ? batcher_->drop() : batcher_->put(seen);
}

inline std::size_t batched_meter::flush() {
  return process_.is_child() ? 0 : batcher_->flush();
}

inline std::uint64_t batched_meter::dropped() const noexcept {
  return batcher_->dropped();
}
inline std::uint64_t batched_meter::failed() const noexcept {
  return batcher_->failed();
}

}  // namespace hotplate::inline HOTPLATE_ABI
