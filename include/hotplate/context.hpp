#pragma once

#include <fmt/core.h>

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "hotplate/arena.hpp"
#include "hotplate/clock.hpp"
#include "hotplate/config.hpp"
#include "hotplate/events.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/payload.hpp"
#include "hotplate/source_location.hpp"
#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

inline std::string_view look_up(
    const std::map<std::string, std::string, std::less<>>& values,
    std::string_view name, std::string_view otherwise) {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : std::string_view(found->second);
}

/// What stands behind a context: the engine is one such, a handler cannot tell.
/// Not a class with virtual functions, whose table would bring the whole engine
/// into every object file that includes it.
struct context_host {
  std::string_view (*function_name)(const void* self) noexcept;
  std::string_view (*tenant)(const void* self) noexcept;
  std::string_view (*trace)(const void* self) noexcept;
  usage (*usage_so_far)(const void* self) noexcept;
  event_id (*event)(const void* self) noexcept;
  time_point (*now)(const void* self) noexcept;
  time_point (*deadline)(const void* self) noexcept;
  bool (*cancelled)(const void* self) noexcept;
  std::stop_token (*stop_token)(void* self);
  const function_config& (*config)(const void* self) noexcept;
  bool (*logs)(const void* self, log_level level) noexcept;
  void (*log)(void* self, log_level level, std::string_view text);
  void (*sleep_until)(void* self, time_point when);
  void (*yield)(void* self);
  outcome<payload> (*invoke)(void* self, std::string_view name,
                             payload_view event, const invoke_options& options);
};

}  // namespace detail

/// A handler's view of its invocation. Valid until the handler returns.
/// Thread safety: none; it belongs to the handler's fiber.
class context {
 public:
  context(const detail::context_host& host, void* self, hotplate::arena& memory,
          detail::marked_location& at) noexcept
      : host_(&host), self_(self), arena_(&memory), at_(&at) {}
  context(const context&) = delete;
  context& operator=(const context&) = delete;

  /// This invocation's memory; see arena.hpp.
  hotplate::arena& arena() noexcept { return *arena_; }

  request_id id() const noexcept { return usage_so_far().id; }
  std::string_view function_name() const noexcept {
    return host_->function_name(self_);
  }
  std::uint32_t version() const noexcept { return usage_so_far().version; }
  std::string_view tenant() const noexcept { return host_->tenant(self_); }
  std::string_view trace() const noexcept { return host_->trace(self_); }
  usage usage_so_far() const noexcept { return host_->usage_so_far(self_); }

  /// The event that was sent and that this is an attempt of: the same for every
  /// attempt, by which to tell a repetition. 0 if this was not sent.
  event_id event() const noexcept { return host_->event(self_); }

  /// The engine's clock: use it instead of std::chrono's to be testable.
  time_point now() const noexcept { return host_->now(self_); }
  time_point deadline() const noexcept { return host_->deadline(self_); }
  std::chrono::nanoseconds remaining_time() const noexcept {
    return deadline() - now();
  }

  /// True once nobody waits for this invocation's result any more. A handler
  /// that computes for long without suspending should ask from time to time.
  bool cancelled() const noexcept { return host_->cancelled(self_); }

  /// The same, for code that takes a std::stop_token. Its callbacks run on the
  /// thread that ends the invocation, should be brief, and must not throw,
  /// which ends the process as the standard has it.
  std::stop_token stop_token() { return host_->stop_token(self_); }

  /// A value of the function's environment, or `otherwise`.
  std::string_view environment(std::string_view name,
                               std::string_view otherwise = {}) const {
    return detail::look_up(host_->config(self_).environment, name, otherwise);
  }

  /// Formats as fmt::format and hands the line to the engine's log_sink, and to
  /// the outcome if the caller wants it. Costs a test where nobody listens.
  template <typename... Args>
  void log(log_level level, fmt::format_string<Args...> format,
           Args&&... args) {
    if (!host_->logs(self_, level)) return;
    host_->log(self_, level,
               fmt::vformat(format, fmt::make_format_args(args...)));
  }

  // Suspension points: other invocations run meanwhile on this worker. Each
  // throws invocation_cancelled once `cancelled()`. `where` is what in_flight()
  // shows.

  void sleep_until(time_point when,
                   const source_location& where = source_location::current()) {
    at_->mark(where);
    host_->sleep_until(self_, when);
  }
  void sleep_for(std::chrono::nanoseconds time,
                 const source_location& where = source_location::current()) {
    sleep_until(detail::after(now(), time), where);
  }
  void yield(const source_location& where = source_location::current()) {
    at_->mark(where);
    host_->yield(self_);
  }

  /// Invokes another function by name; suspends until it has settled. It
  /// inherits this invocation's deadline where that is the nearer one.
  outcome<payload> invoke(
      std::string_view name, payload_view event = {},
      const invoke_options& options = {},
      const source_location& where = source_location::current()) {
    at_->mark(where);
    return host_->invoke(self_, name, event, options);
  }

 private:
  const detail::context_host* host_;
  void* self_;
  hotplate::arena* arena_;
  // Not the host's to write: compilers differ in what a source_location is.
  detail::marked_location* at_;
};

/// What an instance's constructor may ask of its cold start.
class init_context {
 public:
  init_context(std::string_view function, std::uint32_t version,
               const function_config& config) noexcept
      : function_(function), version_(version), config_(&config) {}

  std::string_view function_name() const noexcept { return function_; }
  std::uint32_t version() const noexcept { return version_; }
  mebibytes memory() const noexcept { return config_->memory; }
  /// A value of the function's environment, or `otherwise`.
  std::string_view environment(std::string_view name,
                               std::string_view otherwise = {}) const {
    return detail::look_up(config_->environment, name, otherwise);
  }

 private:
  std::string_view function_;
  std::uint32_t version_;
  const function_config* config_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
