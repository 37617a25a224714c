#pragma once

#include <cstddef>
#include <cstdint>

#include "hotplate/base/owned.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Remembers which overrun each worker runs, and when it is to be told of.
/// Thread safety: the watchdog's alone.
class overrun_watch {
 public:
  explicit overrun_watch(std::size_t workers) : seen_(workers) {}

  /// How long overrun `number` has gone on, if that is to be told now; else 0.
  /// Counted from when it was first seen, at most a tick after it was answered.
  std::int64_t look(std::size_t worker, std::uint64_t number,
                    std::int64_t now) noexcept {
    sight& last = seen_[worker];
    if (last.number != number) last = {number, now, first_told};
    if (now - last.since < last.next) return 0;
    last.next *= 10;
    return now - last.since;
  }

 private:
  static constexpr std::int64_t first_told = 100'000'000;

  struct sight {
    std::uint64_t number = 0;  // No invocation's.
    std::int64_t since = 0;
    std::int64_t next = 0;
  };
  const owned_array<sight> seen_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
