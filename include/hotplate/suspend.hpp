#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "hotplate/channel.hpp"
#include "hotplate/clock.hpp"
#include "hotplate/engine.hpp"
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
// thread that pumps an engine with a manual clock would wait forever, and
// (`engine_unusable`) in a forked child, where what does not wait does nothing.
// Time is the engine's.
//
// in_flight() shows the line of the caller; who calls for somebody else passes
// his source_location last, where the parameters leave room for it.
//
// Thread safety: all functions may be called from any thread. Lifetime: one of
// these ends when nobody waits for it, nor will use it: where handlers do, once
// they have ended, after engine::drain() or engine::remove() and that. None is
// used after its engine; only destroying it is still allowed. Builds with
// assertions end the process with a message if somebody waits when it ends, or
// uses it after its engine or, as far as its memory still tells, after its end.

namespace hotplate::inline HOTPLATE_ABI {

/// Lets others run: in a handler as context::yield(), elsewhere the host-pumped
/// engine, for one thing that is ready, or other threads.
inline void yield(engine& in,
                  source_location where = source_location::current()) {
  detail::yield(detail::access::core_of(in), where);
}

/// As context::sleep_until(); for code to which no context was passed.
inline void sleep_until(engine& in, time_point when,
                        source_location where = source_location::current()) {
  detail::sleep_until(detail::access::core_of(in), detail::core::as_count(when),
                      where);
}
inline void sleep_for(engine& in, std::chrono::nanoseconds time,
                      source_location where = source_location::current()) {
  sleep_until(in, detail::after(in.now(), time), where);
}

/// Waits, at most until `when`, until one of several invocations of an engine
/// has settled. Returns the index of the first that is ready, whose outcome is
/// there to get; their number if none is. Those that have been got are ready.
/// Errors: std::bad_alloc, besides those above.
template <typename... T>
std::size_t wait_any_until(time_point when, const detail::awaited_first& first,
                           const pending<T>&... others) {
  detail::invocation* const calls[] = {
      first.call, detail::access::invocation_of(others)...};
  return detail::wait_any(calls, 1 + sizeof...(T), detail::core::as_count(when),
                          first.where);
}
template <typename T>
std::size_t wait_any_until(time_point when,
                           const std::vector<pending<T>>& several,
                           source_location where = source_location::current()) {
  std::vector<detail::invocation*> calls;
  calls.reserve(several.size());
  for (const pending<T>& each : several) {
    calls.push_back(detail::access::invocation_of(each));
  }
  return detail::wait_any(calls.data(), calls.size(),
                          detail::core::as_count(when), where);
}

/// The same, however long it takes: wait_any(a, b) or wait_any(vector).
template <typename... T>
std::size_t wait_any(const detail::awaited_first& first,
                     const pending<T>&... others) {
  return wait_any_until(no_deadline, first, others...);
}
template <typename T>
std::size_t wait_any(const std::vector<pending<T>>& several,
                     source_location where = source_location::current()) {
  return wait_any_until(no_deadline, several, where);
}

/// Waits, at most until `when`, until all have settled; true if they have.
template <typename... T>
bool wait_all_until(time_point when, const detail::awaited_first& first,
                    pending<T>&... others) {
  return detail::wait_one(first, detail::core::as_count(when)) &&
         (others.wait_until(when, first.where) && ...);
}
template <typename T>
bool wait_all_until(time_point when, std::vector<pending<T>>& several,
                    source_location where = source_location::current()) {
  bool all = true;
  for (pending<T>& each : several) all = all && each.wait_until(when, where);
  return all;
}

/// The same, however long it takes: wait_all(a, b) or wait_all(vector).
template <typename... T>
void wait_all(const detail::awaited_first& first, pending<T>&... others) {
  wait_all_until(no_deadline, first, others...);
}
template <typename T>
void wait_all(std::vector<pending<T>>& several,
              source_location where = source_location::current()) {
  wait_all_until(no_deadline, several, where);
}

/// A mutex that may be held while a fiber is suspended, and unlocked by another
/// thread than the one that locked it. Goes to whoever has waited longest. Not
/// recursive. Works with std::unique_lock and std::lock_guard.
class fiber_mutex {
 public:
  explicit fiber_mutex(engine& of) noexcept
      : one_(detail::access::core_of(of), 1, "fiber_mutex") {}

  void lock(source_location where = source_location::current()) {
    one_.take(detail::forever, where);
  }
  bool try_lock() noexcept { return one_.try_take(); }
  bool try_lock_until(time_point when,
                      source_location where = source_location::current()) {
    return one_.take(detail::core::as_count(when), where);
  }
  bool try_lock_for(std::chrono::nanoseconds time,
                    source_location where = source_location::current()) {
    return try_lock_until(detail::after(one_.engine().now(), time), where);
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
      : left_(detail::access::core_of(of), permits, "semaphore") {}

  void acquire(source_location where = source_location::current()) {
    left_.take(detail::forever, where);
  }
  bool try_acquire() noexcept { return left_.try_take(); }
  bool try_acquire_until(time_point when,
                         source_location where = source_location::current()) {
    return left_.take(detail::core::as_count(when), where);
  }
  bool try_acquire_for(std::chrono::nanoseconds time,
                       source_location where = source_location::current()) {
    return try_acquire_until(detail::after(left_.engine().now(), time), where);
  }
  /// Never blocks; more may be given than were there at first, but none is
  /// added to the most that a std::size_t holds.
  void release() noexcept { left_.give(); }

 private:
  detail::permits left_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
