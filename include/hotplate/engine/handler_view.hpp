#pragma once

#include "hotplate/engine/core.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The engine behind a context.
struct handler_view {
  static context_host functions() noexcept {
    return {.function_name = &function_name,
            .tenant = &tenant,
            .trace = &trace,
            .usage_so_far = &usage_so_far,
            .event = &event,
            .now = &now,
            .deadline = &deadline,
            .cancelled = &cancelled,
            .stop_token = &stop_token,
            .config = &config,
            .logs = &logs,
            .log = &log,
            .sleep_until = &sleep_until,
            .yield = &yield,
            .invoke = &invoke};
  }

 private:
  static const invocation& seen(const void* self) noexcept {
    return *static_cast<const invocation*>(self);
  }
  static std::string_view function_name(const void* self) noexcept {
    return seen(self).target->name;
  }
  static std::string_view tenant(const void* self) noexcept {
    return seen(self).labels.tenant();
  }
  static std::string_view trace(const void* self) noexcept {
    return seen(self).labels.trace();
  }
  static event_id event(const void* self) noexcept { return seen(self).event; }
  static usage usage_so_far(const void* self) noexcept {
    const invocation& call = seen(self);
    usage so_far = call.engine->usage_of(call, errc::ok, now_of(call));
    so_far.arena_peak_bytes = call.memory.used();
    return so_far;
  }
  static time_point now(const void* self) noexcept {
    return seen(self).engine->now();
  }
  static time_point deadline(const void* self) noexcept {
    return core::as_time(seen(self).deadline.load(std::memory_order_relaxed));
  }
  static bool cancelled(const void* self) noexcept {
    return seen(self).engine->is_over(seen(self));
  }
  static std::stop_token stop_token(void* self) {
    return core::stop_token_of(*static_cast<invocation*>(self));
  }
  static const function_config& config(const void* self) noexcept {
    return seen(self).version->config;
  }
  static bool logs(const void* self, log_level level) noexcept {
    return seen(self).engine->logs(seen(self), level);
  }
  static void log(void* self, log_level level, std::string_view text) {
    auto& call = *static_cast<invocation*>(self);
    call.engine->log(call, level, text);
  }
  static void sleep_until(void* self, time_point when) {
    auto& call = *static_cast<invocation*>(self);
    call.engine->sleep_until(call, core::as_count(when));
  }
  static void yield(void* self) {
    auto& call = *static_cast<invocation*>(self);
    call.engine->yield(call);
  }
  static outcome<payload> invoke(void* self, std::string_view name,
                                 payload_view event,
                                 const invoke_options& options);  // by_name.hpp

  static std::int64_t now_of(const invocation& call) noexcept {
    return call.engine->clock_now();
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
