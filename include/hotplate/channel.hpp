#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>

#include "hotplate/clock.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/engine/passage.hpp"

// Part of suspend.hpp, whose first lines hold for it as well.

namespace hotplate::inline HOTPLATE_ABI {

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
  bool send(T item, source_location where = source_location::current()) {
    return items_.put(item, detail::forever, where);
  }
  /// False, too, if there was no room by `when`; `item` is then still there.
  bool send_until(time_point when, T& item,
                  source_location where = source_location::current()) {
    return items_.put(item, detail::core::as_count(when), where);
  }
  bool try_send(T& item) noexcept { return items_.try_put(item); }

  /// Waits for an item. Nothing once the channel is closed and empty.
  std::optional<T> receive(source_location where = source_location::current()) {
    return receive_until(no_deadline, where);
  }
  /// Nothing, too, if none came by `when`.
  std::optional<T> receive_until(
      time_point when, source_location where = source_location::current()) {
    std::optional<T> item;
    items_.take(item, detail::core::as_count(when), where);
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
