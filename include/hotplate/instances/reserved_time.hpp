#pragma once

#include <cstdint>
#include <new>
#include <utility>

#include "hotplate/base/futex.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The times in which instances of a version were reserved.
/// Thread safety: none.
class reserved_time {
 public:
  reserved_time() noexcept = default;
  reserved_time(const reserved_time&) = delete;
  reserved_time& operator=(const reserved_time&) = delete;
  ~reserved_time() {
    while (last_ != nullptr) delete std::exchange(last_, last_->before);
  }

  /// Without memory for it, the time that begins is missing.
  void begin(std::int64_t now) noexcept {
    period* const made = new (std::nothrow) period{now, forever, last_};
    if (made != nullptr) last_ = made;
  }

  /// What has begun, if anything has.
  void end(std::int64_t now) noexcept {
    if (last_ != nullptr && last_->until == forever) last_->until = now;
  }

  /// Calls see(nanoseconds up to now, whether it has ended); the last first.
  template <typename See>
  void see_all(std::int64_t now, const See& see) const {
    for (const period* at = last_; at != nullptr; at = at->before) {
      const bool ended = at->until != forever;
      see((ended ? at->until : now) - at->from, ended);
    }
  }

 private:
  struct period {
    std::int64_t from;
    std::int64_t until;
    period* before;
  };
  period* last_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
