#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/base/futex.hpp"
#include "hotplate/base/kept_text.hpp"
#include "hotplate/base/record_ring.hpp"
#include "hotplate/base/text.hpp"
#include "hotplate/error.hpp"
#include "hotplate/meter.hpp"

// A meter for what takes time, as writing to a disk or sending to a collector
// does. Not part of hotplate.hpp.

namespace hotplate::inline HOTPLATE_ABI {

/// One settled invocation, as metered_invocation has it; its own copy.
struct metered_record {
  hotplate::usage usage;
  detail::kept_text<64> function;  ///< Convert to std::string_view.
  detail::kept_text<64> tenant;
  detail::kept_text<128> trace;
};

struct batch_config {
  /// So many records find room before any is dropped; 376 bytes each. This and
  /// the next: 1 to 2^30.
  std::size_t capacity = 8'192;
  std::size_t most_in_batch = 1'024;
  /// How long records may wait for others; earlier when half the room is used.
  /// 0: no thread of its own, the host calls flush(). At most a day.
  std::chrono::milliseconds interval{100};
};

/// Collects records and hands them in batches to the host's callback, on a
/// thread of its own or in flush(): each record once, in no order. Who settles
/// an invocation copies it into a ring, which never blocks and takes no memory;
/// where no room is left, the record is dropped and counted. The thread sleeps
/// while nothing is there.
/// Thread safety: all members may be called from any thread; the callback is
/// called by one at a time, and must not call flush().
/// Lifetime: destroyed, after it was removed from its engines or these have
/// ended, it delivers what it has.
class batched_meter final : public meter {
 public:
  using callback = std::function<void(std::span<const metered_record>)>;

  /// Throws bad_config.
  explicit batched_meter(callback deliver, const batch_config& config = {})
      : deliver_(std::move(deliver)),
        config_(checked(config, deliver_ != nullptr)),
        rings_{ring(each(config)), ring(each(config)), ring(each(config)),
               ring(each(config)), ring(each(config)), ring(each(config)),
               ring(each(config)), ring(each(config))} {
    batch_.reserve(config_.most_in_batch);
    if (config_.interval.count() > 0) thread_ = std::thread([this] { run(); });
  }
  batched_meter(const batched_meter&) = delete;
  batched_meter& operator=(const batched_meter&) = delete;
  ~batched_meter() override {
    call(stop);
    if (thread_.joinable()) thread_.join();
    flush();
  }

  void on_invocation(const metered_invocation& seen) noexcept override {
    // An invocation's record in the engine tells its worker, more or less.
    constexpr std::uint32_t spread = 0x9e3779b1;
    const auto slot = static_cast<std::uint32_t>(seen.usage.id.number >> 32);
    const std::size_t first = slot * spread >> 29;
    for (std::size_t i = 0; i < shards; ++i) {
      const auto room = rings_[(first + i) % shards].put([&](auto& record) {
        record = {seen.usage, seen.function, seen.tenant, seen.trace};
      });
      if (room == detail::room_left::none) [[unlikely]]
        continue;
      return call(room == detail::room_left::much ? come : hurry);
    }
    dropped_.fetch_add(1, std::memory_order_relaxed);
  }

  /// Delivers every record of invocations that were metered before; returns how
  /// many. Waits while another flush delivers.
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

  /// Records for which there was no room.
  std::uint64_t dropped() const noexcept {
    return dropped_.load(std::memory_order_relaxed);
  }
  /// Records of batches at which the callback threw; they do not come again.
  std::uint64_t failed() const noexcept {
    return failed_.load(std::memory_order_relaxed);
  }

 private:
  using ring = detail::record_ring<metered_record>;
  static constexpr std::size_t shards = 8;
  static const batch_config& checked(const batch_config& config,
                                     bool delivers) {
    std::vector<std::string> problems;
    const auto within = [&](std::string_view field, std::int64_t value,
                            std::int64_t least, std::int64_t most,
                            std::string_view unit) {
      if (value >= least && value <= most) return;
      problems.push_back(
          detail::sentence({field, " = ", value, " ", unit, ": allowed are ",
                            least, " to ", most}));
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
      return detail::futex_wake(&called_, 1);
    }
  }

  void run() noexcept {
    const std::int64_t interval =
        std::chrono::nanoseconds(config_.interval).count();
    for (std::uint32_t why = quiet; why != stop;) {
      detail::futex_wait(&called_, quiet);
      detail::futex_wait(&called_, come, detail::monotonic_now() + interval);
      why = called_.exchange(quiet, std::memory_order_seq_cst);
      if (why != quiet) flush();
    }
  }

  const callback deliver_;
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

}  // namespace hotplate::inline HOTPLATE_ABI
