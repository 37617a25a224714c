#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/error.hpp"
#include "hotplate/payload.hpp"
#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {
/// The value of what yields none. (<variant> is dear for its std::monostate.)
struct nothing {};

struct last_errors;

/// An error as outcomes hold it: theirs alone, or of those that all share who
/// met no memory for their own.
struct made_error : hotplate::error {
  last_errors* shared = nullptr;

  static void give_up(const made_error* gone) noexcept;
};

/// One error of each code, made ahead and never changed. Made by an engine, and
/// gone with it and the last outcome that refers to one.
/// Thread safety: all members may be called from any thread.
struct last_errors {
  std::array<made_error, errc_count> by_code;
  std::atomic<std::int64_t> users = 1;

  void enter() noexcept { users.fetch_add(1, std::memory_order_relaxed); }
  void leave() noexcept {
    if (users.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
};

HOTPLATE_NOINLINE inline void made_error::give_up(
    const made_error* gone) noexcept {
  gone->shared != nullptr ? gone->shared->leave() : delete gone;
}
}  // namespace detail

/// The end of an invocation: a value or an error, and what it consumed.
/// Independent of the engine: it may outlive it, and may go to any thread.
template <typename T>
class [[nodiscard]] outcome {
 public:
  using value_type = T;
  using stored = std::conditional_t<std::is_void_v<T>, detail::nothing, T>;

  outcome(stored&& value, const hotplate::usage& used)
      : value_(std::move(value)), usage_(used) {}
  outcome(detail::owned<const detail::made_error> why,
          const hotplate::usage& used)
      : error_(std::move(why)), usage_(used) {}
  /// `measure()` returns the usage, which is made where it is to be.
  template <typename Measure>
  requires std::is_invocable_r_v<hotplate::usage, Measure> outcome(
      stored&& value, const Measure& measure)
      : value_(std::move(value)), usage_(measure()) {}

  bool has_value() const noexcept { return error_ == nullptr; }
  explicit operator bool() const noexcept { return has_value(); }

  /// Throws bad_outcome, naming the error, if there is no value.
  std::add_lvalue_reference_t<T> value() & { return access(*this); }
  std::add_lvalue_reference_t<const T> value() const& { return access(*this); }
  T value() && {
    if (error_) throw bad_outcome(*error_);
    check_value();
    if constexpr (!std::is_void_v<T>) return std::move(*value_);
  }

  /// Only when there is no value; builds with assertions check.
  const hotplate::error& error() const noexcept {
    detail::require(error_ != nullptr,
                    "outcome::error() was called where there is a value");
    return *error_;
  }
  errc code() const noexcept { return error_ ? error_->code : errc::ok; }

  /// For the engine, which passes it on.
  detail::owned<const detail::made_error> take_error() && noexcept {
    return std::move(error_);
  }

  const hotplate::usage& usage() const noexcept { return usage_; }

  /// The last 4 KiB that the handler logged by then, a line each; empty unless
  /// the call was made with invoke_options::keep_log.
  std::string_view log() const noexcept {
    return log_ ? std::string_view(*log_) : std::string_view();
  }
  /// For the engine.
  void keep_log(detail::owned<std::string> log) noexcept {
    log_ = std::move(log);
  }

 private:
  template <typename Self>
  static decltype(auto) access(Self& self) {
    if (self.error_) throw bad_outcome(*self.error_);
    self.check_value();
    if constexpr (!std::is_void_v<T>) return (*self.value_);
  }
  void check_value() const noexcept {
    detail::require(value_.has_value(),
                    "outcome::value() was called after its error had moved to "
                    "another outcome");
  }

  std::optional<stored> value_;
  detail::owned<const detail::made_error> error_;
  detail::owned<std::string> log_;
  hotplate::usage usage_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
