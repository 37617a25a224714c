#pragma once

#include <chrono>
#include <cstdint>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// How often and for how long `send` tries one function with one event.
struct retry_policy {
  /// 1 to 100: handlers that may fail before the event has failed for good. An
  /// attempt is used up once an instance was there, or was being made, for it:
  /// what is throttled, or has no place or memory in time, is tried again until
  /// `max_age`.
  std::uint32_t max_attempts = 3;

  /// 0 to `longest_backoff`: most that the first further attempt waits. Each
  /// wait is drawn evenly from nothing to a most that doubles from attempt to
  /// attempt, so that events that failed together do not return together.
  std::chrono::milliseconds first_backoff{1'000};

  /// 1 ms to 6 h: what that most does not exceed.
  std::chrono::milliseconds longest_backoff{300'000};

  /// 1 ms to 14 days: the last attempt starts at this age at the latest. Also
  /// how long an idempotency key is remembered.
  std::chrono::milliseconds max_age{6 * 3'600'000};
};

}  // namespace hotplate::inline HOTPLATE_ABI
