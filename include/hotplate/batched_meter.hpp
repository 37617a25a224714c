#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotplate/base/batcher.hpp"
#include "hotplate/base/fork_mark.hpp"
#include "hotplate/base/kept_text.hpp"
#include "hotplate/base/owned.hpp"
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
/// ended, it delivers what it has. A forked child has neither the thread nor
/// the right to deliver what its parent will: there nothing is delivered, what
/// is metered is dropped and counted, and the destructor leaks, as an engine's.
class batched_meter final : public meter {
 public:
  using callback = std::function<void(std::span<const metered_record>)>;

  /// Throws bad_config, and std::system_error where there is no thread.
  explicit batched_meter(callback deliver, const batch_config& config = {})
      : batcher_(detail::make_owned<batcher>(
            std::move(deliver), checked(config, deliver != nullptr))) {}
  batched_meter(const batched_meter&) = delete;
  batched_meter& operator=(const batched_meter&) = delete;
  ~batched_meter() override {
    // Locks and records may be in the hands of threads that are not there.
    if (process_.is_child()) static_cast<void>(batcher_.release());
  }

  void on_invocation(const metered_invocation& seen) noexcept override {
    if (process_.is_child()) return batcher_->drop();
    // An invocation's record in the engine tells its worker, more or less.
    const auto slot = static_cast<std::uint32_t>(seen.usage.id.number >> 32);
    batcher_->put(slot, [&](metered_record& record) {
      record = {seen.usage, seen.function, seen.tenant, seen.trace};
    });
  }

  /// Delivers every record of invocations that were metered before; returns how
  /// many. Waits while another flush delivers.
  std::size_t flush() { return process_.is_child() ? 0 : batcher_->flush(); }

  /// Records for which there was no room.
  std::uint64_t dropped() const noexcept { return batcher_->dropped(); }
  /// Records of batches at which the callback threw; they do not come again.
  std::uint64_t failed() const noexcept { return batcher_->failed(); }

 private:
  using batcher = detail::batcher<metered_record>;

  static batcher::shape checked(const batch_config& config, bool delivers) {
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
    return {config.capacity, config.most_in_batch,
            std::chrono::nanoseconds(config.interval).count()};
  }

  const detail::fork_mark process_;
  detail::owned<batcher> batcher_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
