#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/clock.hpp"
#include "hotplate/error.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/payload.hpp"
#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Of one event that was sent; unique in its event_store, and never 0.
using event_id = std::uint64_t;

/// How one event is sent. Views need to live until the call returns.
struct send_options {
  /// At most 256 bytes. Within the function's `retry.max_age`, a second event
  /// with the same key for the same function, whatever its version or alias,
  /// is not accepted again: sending it yields the id of the first. Empty: none.
  std::string_view key = {};
  std::string_view tenant = {};  ///< Of every attempt.
  /// As in invoke_options, of every attempt and of what its destination gets.
  std::string_view trace = {};
  hotplate::trigger trigger = hotplate::trigger::event;
};

/// Why an event came to no good end.
enum class failed_because : std::uint8_t {
  nothing,           ///< It has not failed.
  attempts_used_up,  ///< It failed `retry.max_attempts` times.
  too_old,           ///< Its `retry.max_age` is over.
  /// Trying again would change nothing: no such function, or not for it.
  refused,
  too_many_hops,  ///< Destinations lead to destinations in a circle.
  draining,       ///< The engine was drained first.
};

constexpr std::string_view to_string(failed_because why) noexcept {
  constexpr std::string_view names[] = {"nothing",       "attempts_used_up",
                                        "too_old",       "refused",
                                        "too_many_hops", "draining"};
  return names[static_cast<std::size_t>(why)];
}

/// An event that failed and had nowhere to go. Kept until it is replayed or
/// dropped.
struct dead_letter {
  event_id id = 0;
  std::string function = {};  ///< As it was sent: may have a qualifier.
  std::string event = {};
  std::string tenant = {};
  failed_because reason = failed_because::nothing;
  std::uint32_t attempts = 0;   ///< Used up.
  errc last_code = errc::ok;    ///< Of the last attempt; ok if there was none.
  std::string last_error = {};  ///< Its message.
  time_point first_sent = {};
};

/// What engine can do with events. hotplate/send.hpp says more, and defines the
/// members: who calls them includes that.
template <typename Engine>
class event_sender {
 public:
  /// Sends an event to a function: accepted now, run at least once, tried again
  /// after failures as the function's `retry` says, then sent to its
  /// destination or kept as a dead letter. The event is copied.
  outcome<event_id> send(std::string_view name, payload_view event = {},
                         const send_options& options = {});

  /// Those that failed for good, in the order in which they did.
  std::vector<dead_letter> dead_letters();

  /// Sends a dead letter again, with its id, all its attempts and a new age.
  outcome<event_id> replay(event_id id);

  /// Forgets a dead letter; false if there is no such.
  bool drop(event_id id);
};

}  // namespace hotplate::inline HOTPLATE_ABI
