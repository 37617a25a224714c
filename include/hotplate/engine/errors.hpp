#pragma once

#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "hotplate/engine/invocation.hpp"

// Sentences for those who must act: each names the function and the limit.

namespace hotplate::inline HOTPLATE_ABI::detail {

using failure = std::unique_ptr<error>;

inline failure make_error(errc code, std::string message) {
  auto made = std::make_unique<error>();
  made->code = code;
  made->message = std::move(message);
  return made;
}

inline failure make_error(const invocation& call, errc code,
                          std::string message) {
  failure made = make_error(code, std::move(message));
  if (call.target != nullptr) made->function = call.target->name;
  made->reached = call.reached.load(std::memory_order_relaxed);
  return made;
}

inline failure with_limit(failure made, std::int64_t limit,
                          std::int64_t value) {
  made->limit = limit;
  made->value = value;
  return made;
}

inline failure is_not_found(std::string_view name) {
  failure made = make_error(errc::not_found,
                            fmt::format("no function {} is deployed", name));
  made->function = name;
  return made;
}

inline failure has_no_codec(const invocation& call) {
  return make_error(
      call, errc::no_codec,
      fmt::format("function {} is {}, for which there is no codec; call it "
                  "through its handle, or specialise hotplate::codec",
                  call.target->name, call.version->how.signature));
}

inline failure is_too_large(const invocation& call, errc code,
                            std::size_t bytes, std::size_t limit) {
  return with_limit(
      make_error(
          call, code,
          fmt::format("the {} of function {} has {} bytes, the engine's "
                      "limit is {}",
                      code == errc::event_too_large ? "event" : "response",
                      call.target->name, bytes, limit)),
      static_cast<std::int64_t>(limit), static_cast<std::int64_t>(bytes));
}

inline failure has_bad_tenant(const invocation& call, std::size_t limit) {
  const std::size_t bytes = call.options.tenant.size();
  return with_limit(
      make_error(call, errc::bad_event,
                 fmt::format("the tenant's name has {} bytes, the limit is {}",
                             bytes, limit)),
      static_cast<std::int64_t>(limit), static_cast<std::int64_t>(bytes));
}

inline failure is_draining(const invocation& call) {
  return make_error(call, errc::draining, "the engine is shutting down");
}

inline failure is_pumping(const invocation& call) {
  return make_error(
      call, errc::already_pumping,
      fmt::format("function {} was invoked from within the pump, but not from "
                  "a handler",
                  call.target->name));
}

inline failure is_throttled(const invocation& call, const gate& full,
                            bool whole_engine) {
  failure made = make_error(
      call, errc::throttled,
      fmt::format("function {} is throttled: {} of {} concurrent invocations "
                  "{} are in flight",
                  call.target->name, full.inside(), full.limit(),
                  whole_engine ? "of the engine" : "of this function"));
  made->retry_after = std::chrono::milliseconds(1);
  return with_limit(std::move(made), full.limit(), full.inside());
}

inline failure is_out_of_memory(const invocation& call, std::string_view what) {
  return make_error(call, errc::resource_exhausted,
                    fmt::format("the host has no memory {} for function {}",
                                what, call.target->name));
}

inline failure has_stalled(const invocation& call) {
  return make_error(
      call, errc::stalled,
      fmt::format("function {} cannot go on: nothing is ready and no timer is "
                  "armed in this host-pumped engine",
                  call.target->name));
}

inline failure is_cancelled(const invocation& call) {
  return make_error(call, errc::cancelled,
                    fmt::format("the invocation of function {} was cancelled",
                                call.target->name));
}

/// Ended by somebody else than its handler.
inline failure is_ended_by(const invocation& call, errc why) {
  if (why == errc::draining) return is_draining(call);
  if (why == errc::stalled) return has_stalled(call);
  return is_cancelled(call);
}

inline failure has_timed_out(const invocation& call, std::int64_t deadline) {
  const stage reached = call.reached.load(std::memory_order_relaxed);
  const std::int64_t since =
      reached == stage::handler
          ? call.handler_started.load(std::memory_order_relaxed)
          : (reached == stage::init
                 ? call.started.load(std::memory_order_relaxed)
                 : call.arrived);
  failure made = make_error(
      call, errc::timed_out,
      fmt::format("function {} timed out after {:.3f} seconds in stage {}",
                  call.target->name,
                  static_cast<double>(deadline - since) / 1e9,
                  to_string(reached)));
  return with_limit(std::move(made), (deadline - since) / 1'000'000,
                    (deadline - since) / 1'000'000);
}

inline failure used_up_memory(const invocation& call) {
  const auto limit = static_cast<std::int64_t>(call.memory.limit());
  return with_limit(
      make_error(
          call, errc::out_of_memory,
          fmt::format("function {} used up its memory of {} MiB",
                      call.target->name, call.version->config.memory.count)),
      limit, static_cast<std::int64_t>(call.memory.used()));
}

inline failure cannot_decode(const invocation& call, std::string_view reason) {
  return make_error(
      call, errc::bad_event,
      fmt::format("the event does not suit function {}, {}: {}",
                  call.target->name, call.version->how.signature, reason));
}

/// The exception being handled, by its type's name in the source.
inline std::string exception_type_name() {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "unknown";
  int status = 0;
  char* const readable =
      abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? readable : type->name();
  std::free(readable);
  return name;
}

/// To be called where the exception is caught.
inline failure handler_threw(const invocation& call, std::string_view what) {
  const bool init = call.reached.load(std::memory_order_relaxed) == stage::init;
  failure made = make_error(
      call, init ? errc::init_failed : errc::function_threw, std::string());
  made->exception_type = exception_type_name();
  made->message = fmt::format("{} of function {} threw {}: {}",
                              init ? "the cold start" : "the handler",
                              call.target->name, made->exception_type, what);
  return made;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
