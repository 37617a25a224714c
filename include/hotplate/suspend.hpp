#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "hotplate/clock.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/engine/passage.hpp"
#include "hotplate/engine/permits.hpp"
#include "hotplate/engine/several.hpp"

// Waiting that suspends a handler's fiber instead of its thread. Not part of
// hotplate.hpp: who does not wait for anything but outcomes does not pay for
// it.
//
// All of it belongs to one engine. Called in a handler of that engine, it
// suspends the fiber; called anywhere else it blocks the thread, which pumps
// the engine meanwhile if that is host-pumped. (Not to be called by meters,
// which run between handlers.)
//
// Errors, of all that waits: invocation_cancelled in a handler whose invocation
// is over, even if it need not have waited. While an exception is on its way
// out, such a handler gets no second one: lock() and acquire() then wait on,
// all else returns at once, with nothing. bad_outcome (`stalled`) where a
// thread that pumps an engine with a manual clock would wait forever. Time is
// the engine's.
//
// Thread safety: all functions may be called from any thread. Lifetime: nobody
// may wait any more when one of these ends; none is used after its engine.

namespace hotplate::inline HOTPLATE_ABI {

/// Lets others run: in a handler as context::yield(), elsewhere the host-pumped
/// engine, for one thing that is ready, or other threads.
inline void yield(engine& in) { detail::yield(detail::access::core_of(in)); }

/// As context::sleep_until(); for code to which no context was passed.
inline void sleep_until(engine& in, time_point when) {
  detail::sleep_until(detail::access::core_of(in),
                      detail::core::as_count(when));
}
inline void sleep_for(engine& in, std::chrono::nanoseconds time) {
  sleep_until(in, in.now() + time);
}

/// Waits, at most until `when`, until one of several invocations of an engine
/// has settled. Returns the index of the first that is ready, whose outcome is
/// there to get; their number if none is. Those that have been got are ready.
/// Errors: std::bad_alloc, besides those above.
template <typename... T>
std::size_t wait_any_until(time_point when, const pending<T>&... several) {
  detail::invocation* const calls[] = {
      detail::access::invocation_of(several)...};
  return detail::wait_any(calls, sizeof...(T), detail::core::as_count(when));
}
template <typename T>
std::size_t wait_any_until(time_point when,
                           const std::vector<pending<T>>& several) {
  std::vector<detail::invocation*> calls;
  calls.reserve(several.size());
  for (const pending<T>& each : several) {
    calls.push_back(detail::access::invocation_of(each));
  }
  return detail::wait_any(calls.data(), calls.size(),
                          detail::core::as_count(when));
}

/// The same, however long it takes: wait_any(a, b) or wait_any(vector).
template <typename... Several>
std::size_t wait_any(const Several&... several) {
  return wait_any_until(no_deadline, several...);
}

/// Waits, at most until `when`, until all have settled; true if they have.
template <typename... T>
bool wait_all_until(time_point when, pending<T>&... several) {
  return (several.wait_until(when) && ...);
}
template <typename T>
bool wait_all_until(time_point when, std::vector<pending<T>>& several) {
  bool all = true;
  for (pending<T>& each : several) all = all && each.wait_until(when);
  return all;
}

/// The same, however long it takes: wait_all(a, b) or wait_all(vector).
template <typename... Several>
void wait_all(Several&... several) {
  wait_all_until(no_deadline, several...);
}

/// A mutex that may be held while a fiber is suspended, and unlocked by another
/// thread than the one that locked it. Goes to whoever has waited longest. Not
/// recursive. Works with std::unique_lock and std::lock_guard.
class fiber_mutex {
 public:
  explicit fiber_mutex(engine& of) noexcept
      : one_(detail::access::core_of(of), 1) {}

  void lock() { one_.take(detail::forever); }
  bool try_lock() noexcept { return one_.try_take(); }
  bool try_lock_until(time_point when) {
    return one_.take(detail::core::as_count(when));
  }
  bool try_lock_for(std::chrono::nanoseconds time) {
    return try_lock_until(one_.engine().now() + time);
  }
  void unlock() noexcept { one_.give(); }

 private:
  detail::permits one_;
};

/// Permits that handlers take and give back. Goes to whoever has waited
/// longest.
class semaphore {
 public:
  semaphore(engine& of, std::size_t permits) noexcept
      : left_(detail::access::core_of(of), permits) {}

  void acquire() { left_.take(detail::forever); }
  bool try_acquire() noexcept { return left_.try_take(); }
  bool try_acquire_until(time_point when) {
    return left_.take(detail::core::as_count(when));
  }
  bool try_acquire_for(std::chrono::nanoseconds time) {
    return try_acquire_until(left_.engine().now() + time);
  }
  /// Never blocks; more may be given than were there at first.
  void release() noexcept { left_.give(); }

 private:
  detail::permits left_;
};

/// Hands items from senders to receivers, in order; the longest waiting of each
/// comes first. Memory for `capacity` items is taken at once; with 0, a sender
/// waits for its receiver.
/// What is received is never lost: a handler that is over by then still gets
/// it.
template <typename T>
class channel {
  static_assert(std::is_nothrow_move_constructible_v<T>,
                "an item is moved while others may wait for the channel");

 public:
  channel(engine& of, std::size_t capacity)
      : items_(detail::access::core_of(of), capacity) {}

  /// Waits for room. False if the channel is closed before there was any.
  bool send(T item) { return items_.put(item, detail::forever); }
  /// False, too, if there was no room by `when`; `item` is then still there.
  bool send_until(time_point when, T& item) {
    return items_.put(item, detail::core::as_count(when));
  }
  bool try_send(T& item) noexcept { return items_.try_put(item); }

  /// Waits for an item. Nothing once the channel is closed and empty.
  std::optional<T> receive() { return receive_until(no_deadline); }
  /// Nothing, too, if none came by `when`.
  std::optional<T> receive_until(time_point when) {
    std::optional<T> item;
    items_.take(item, detail::core::as_count(when));
    return item;
  }
  std::optional<T> try_receive() noexcept {
    std::optional<T> item;
    items_.try_take(item);
    return item;
  }

  /// Nothing can be sent any more; what was sent can be received. Whoever waits
  /// to send is refused.
  void close() noexcept { items_.close(); }
  bool closed() noexcept { return items_.closed(); }

 private:
  detail::passage<T> items_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
