#pragma once

#include <utility>

#include "hotplate/clock.hpp"
#include "hotplate/outcome.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {
struct access;
struct invocation;
}  // namespace detail

/// An invocation that was started and not waited for. Destroying it lets the
/// invocation go on: it finishes and is metered. (hotplate/engine.hpp defines
/// the members.)
/// Thread safety: one thread or handler at a time; cancel() from any.
/// Lifetime: must not outlive its engine.
template <typename T>
class [[nodiscard]] pending {
 public:
  explicit pending(detail::invocation& started) noexcept : call_(&started) {}
  /// One that was refused before it became an invocation.
  explicit pending(outcome<T> refused) : refused_(std::move(refused)) {}

  pending(pending&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)),
        refused_(std::move(other.refused_)) {}
  pending& operator=(pending&& other) noexcept {
    std::swap(call_, other.call_);
    std::swap(refused_, other.refused_);
    return *this;
  }
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;
  ~pending();

  /// Waits and takes the outcome; once only. A thread blocks, a handler's
  /// fiber suspends, the pumping thread pumps.
  outcome<T> get();

  /// True if it has settled by `when`, which is by the engine's clock.
  bool wait_until(time_point when);
  bool ready() const noexcept;

  /// Settles it as `cancelled`, if it has not settled. A running handler is
  /// thrown out at its next suspension point.
  void cancel() noexcept;

 private:
  friend detail::access;

  detail::invocation* call_ = nullptr;
  std::optional<outcome<T>> refused_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
