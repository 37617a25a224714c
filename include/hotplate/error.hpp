#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Why an invocation did not yield a value. Grouped by who must act.
enum class errc : std::uint8_t {
  ok,
  // The caller.
  not_found,        ///< No function of that name is deployed.
  throttled,        ///< A concurrency limit is reached; try again later.
  timed_out,        ///< The function's timeout or the caller's deadline passed.
  cancelled,        ///< The caller cancelled it, or its caller was cancelled.
  event_too_large,  ///< The event exceeds the engine's limit.
  bad_event,        ///< The event does not decode to the handler's parameter.
  no_codec,         ///< The handler's parameters have no codec.
  /// It would wait within the pump, but not in a handler; or within a meter.
  already_pumping,
  stalled,  ///< Nothing is ready, no timer is armed: it never settles.
  // The function's author.
  function_threw,      ///< The handler threw.
  out_of_memory,       ///< The arena reached the function's memory limit.
  init_failed,         ///< The cold start threw; nothing was cached.
  response_too_large,  ///< The response exceeds the engine's limit.
  // The operator.
  /// The host is out of memory, stacks or threads; or too many responses are
  /// held.
  resource_exhausted,
  draining,         ///< The engine is shutting down.
  engine_unusable,  ///< In a child that was forked, the threads are missing.
};
inline constexpr std::size_t errc_count = 17;

/// The enumerator's own name, for reports.
constexpr std::string_view to_string(errc code) noexcept {
  constexpr std::string_view names[errc_count] = {
      "ok",          "not_found",          "throttled",
      "timed_out",   "cancelled",          "event_too_large",
      "bad_event",   "no_codec",           "already_pumping",
      "stalled",     "function_threw",     "out_of_memory",
      "init_failed", "response_too_large", "resource_exhausted",
      "draining",    "engine_unusable"};
  return names[static_cast<std::size_t>(code)];
}

/// How far an invocation had come when it settled.
enum class stage : std::uint8_t { arrival, admission, queue, init, handler };

constexpr std::string_view to_string(stage reached) noexcept {
  constexpr std::string_view names[] = {"arrival", "admission", "queue", "init",
                                        "handler"};
  return names[static_cast<std::size_t>(reached)];
}

/// What went wrong, for a person (`message`) and for a program (the rest).
struct error {
  errc code = errc::ok;
  std::string message;         ///< Names the function and the limit hit.
  std::string function;        ///< Its name; empty where none is involved.
  std::string exception_type;  ///< Of a handler's exception, demangled.
  stage reached = stage::arrival;
  std::int64_t limit = 0;  ///< The limit hit, in the unit `message` names.
  std::int64_t value = 0;  ///< What was asked for or in use.
  /// For `throttled`: when trying again is worthwhile.
  std::chrono::milliseconds retry_after{0};
};

/// Thrown by the engine's constructor and by `deploy`; lists every bad field.
class bad_config : public std::invalid_argument {
 public:
  explicit bad_config(std::vector<std::string> problems)
      : std::invalid_argument(join(problems)), problems_(std::move(problems)) {}

  /// One sentence a field: its name, the value given and what is allowed.
  const std::vector<std::string>& problems() const noexcept {
    return problems_;
  }

 private:
  static std::string join(const std::vector<std::string>& problems) {
    std::string text = "bad configuration";
    for (const std::string& problem : problems) text += "; " + problem;
    return text;
  }

  std::vector<std::string> problems_;
};

/// Thrown by `deploy` when the live version of that name has another signature.
class signature_changed : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// Thrown out of a handler's suspension point once its invocation has been
/// cancelled or has timed out. Deliberately no std::exception, so that
/// `catch (const std::exception&)` does not stop it. A handler that swallows it
/// meets it again at its next suspension point.
struct invocation_cancelled {};

/// Thrown by `outcome::value()` when there is none.
class bad_outcome : public std::runtime_error {
 public:
  explicit bad_outcome(const error& why)
      : std::runtime_error(std::string(to_string(why.code)) + ": " +
                           why.message) {}
};

}  // namespace hotplate::inline HOTPLATE_ABI
