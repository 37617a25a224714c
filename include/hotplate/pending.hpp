#pragma once

#include <cstdint>
#include <utility>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/leash.hpp"
#include "hotplate/clock.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/source_location.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {
struct access;
struct invocation;
}  // namespace detail

/// What an executor is given: to be called once, on any thread that may wait.
/// Destroyed without, what would have followed never does. Moves only.
/// Lifetime: ends before its engine, whose destructor waits for it.
class continuation {
 public:
  explicit continuation(detail::invocation& next) noexcept : next_(&next) {}
  continuation(continuation&& other) noexcept
      : next_(std::exchange(other.next_, nullptr)) {}
  continuation& operator=(continuation&& other) noexcept {
    std::swap(next_, other.next_);
    return *this;
  }
  continuation(const continuation&) = delete;
  continuation& operator=(const continuation&) = delete;
  ~continuation();

  void operator()() noexcept;

 private:
  detail::invocation* next_;
};

/// An invocation that was started and not waited for. Destroying it lets the
/// invocation go on: it finishes and is metered. (hotplate/engine.hpp defines
/// the members.)
/// Thread safety: one thread or handler at a time; cancel() from any.
/// Lifetime: must not outlive its engine; builds with assertions then end the
/// process with a message.
template <typename T>
class [[nodiscard]] pending {
 public:
  explicit pending(detail::invocation& started) noexcept;
  /// One that was refused before it became an invocation.
  explicit pending(outcome<T> refused) : refused_(std::move(refused)) {}

  pending(pending&& other) noexcept
      : call_(std::exchange(other.call_, nullptr)),
        generation_(other.generation_),
        refused_(std::exchange(other.refused_, std::nullopt)),
        leash_(std::move(other.leash_)) {}
  pending& operator=(pending&& other) noexcept {
    std::swap(call_, other.call_);
    std::swap(generation_, other.generation_);
    std::swap(refused_, other.refused_);
    std::swap(leash_, other.leash_);
    return *this;
  }
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;
  ~pending();

  /// Waits and takes the outcome; once only, by this or by then() (builds with
  /// assertions check). A thread blocks, a handler's fiber suspends, the
  /// pumping thread pumps.
  outcome<T> get(source_location where = source_location::current());

  /// True if it has settled by `when`, which is by the engine's clock.
  bool wait_until(time_point when,
                  source_location where = source_location::current());
  bool ready() const noexcept;

  /// Has `next(outcome<T>)` called once it has settled: on a fiber of the
  /// engine's pool, as a handler is, and never on the stack that settled.
  /// `next` belongs to no function: it has neither limit nor timeout nor usage.
  /// Takes the outcome, as get() does. Returns what becomes of `next`, whose
  /// exceptions are `function_threw`. Destroying that before `next` was called
  /// takes it off again, and destroys it; cancelling that cancels this.
  template <typename Next>
  HOTPLATE_INLINE auto then(Next next)
      -> pending<std::invoke_result_t<Next&, outcome<T>>>;

  /// The same; but `where(continuation)` is called on the fiber of the pool,
  /// and what that is given calls `next` wherever it is called. `where` only
  /// passes it on, and moves without throwing.
  template <typename Executor, typename Next>
  HOTPLATE_INLINE auto then(Executor where, Next next)
      -> pending<std::invoke_result_t<Next&, outcome<T>>>;

  /// Lets it go on to its end, with what follows; nobody takes the outcome.
  void detach() noexcept;

  /// Settles it as `cancelled`, if it has not settled. A running handler is
  /// thrown out at its next suspension point.
  void cancel() noexcept;

 private:
  friend detail::access;

  void check_leash() const noexcept {
    if (call_ != nullptr) leash_.check("pending", "used");
  }
  detail::invocation& forget() noexcept;

  // Read by cancel() as well, with the generation that tells whose it is.
  detail::invocation* call_ = nullptr;
  std::uint64_t generation_ = 0;
  std::optional<outcome<T>> refused_;
  [[no_unique_address]] detail::leash leash_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
