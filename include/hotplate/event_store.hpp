#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/events.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// An event and how far it has come: what outlives its attempts.
struct stored_event {
  event_id id = 0;  ///< Given by the store.
  std::string function = {};
  std::string event = {};
  std::string tenant = {};
  std::string trace = {};
  std::string key =
      {};  ///< Its function's name (without qualifier), then the key.
  hotplate::trigger trigger = hotplate::trigger::event;
  time_point first_sent = {};
  time_point sent = {};  ///< What its age counts from: a replay starts anew.
  time_point key_until = {};
  std::uint32_t hops = 0;  ///< Destinations that led to it.

  time_point due = {};          ///< When the next attempt is to start.
  std::uint32_t attempts = 0;   ///< Used up.
  std::uint32_t postponed = 0;  ///< Since then: tries that used up none.
  failed_because reason = failed_because::nothing;
  errc last_code = errc::ok;
  std::string last_error = {};
};

/// Where sent events wait. The engine's own keeps them in memory; a host may
/// give it another (engine_config::events) that keeps them for longer, and
/// takes up what that already holds when it is first asked to send, or to show
/// its dead letters. Times are the engine's: one that survives the process
/// translates them.
/// Thread safety: called from several threads at once, for different events;
/// `add` with the same key too. It may block its caller, a sending thread or a
/// fiber of the pool, and must not call the engine.
/// Errors: std::exceptions. One refuses an event that is being sent, as
/// `resource_exhausted`; any other event is tried again later. Whoever asks for
/// dead letters, and who is the first to send, gets what read() and list()
/// throw. One that erase() refuses has ended all the same: it is erased once
/// another one can be, a second later at the earliest, or the engine drains.
/// Until then event_stats::unerased counts it, and whoever takes up the store
/// runs it again.
class event_store {
 public:
  event_store() = default;
  event_store(const event_store&) = delete;
  event_store& operator=(const event_store&) = delete;
  virtual ~event_store() = default;

  struct added {
    /// Of the first event with that key, if it is `known`; 0 if there is no
    /// room for another.
    event_id id = 0;
    bool known = false;
  };
  /// Keeps an event, unless one with its key, which is not empty, was added and
  /// that one's `key_until` is after `event.sent`.
  virtual added add(stored_event event) = 0;

  /// The first event with that key, if it is known at `now`; else 0.
  virtual event_id find(std::string_view key, time_point now) = 0;

  /// Everything below `due` in stored_event, and `sent`, may have changed; the
  /// rest has not, and `event` is left out.
  virtual void update(const stored_event& changed) = 0;

  /// False if there is none.
  virtual bool read(event_id id, stored_event& into) = 0;

  /// Its key stays known.
  virtual void erase(event_id id) = 0;

  /// All that are kept, in ascending order.
  virtual std::vector<event_id> list() = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI
