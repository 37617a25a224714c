#pragma once

// Long because: it has a sentence for every way to fail.

#include <cxxabi.h>
#include <fmt/core.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/base/text.hpp"
#include "hotplate/engine/invocation.hpp"
#include "hotplate/registry/readable.hpp"

// Sentences for those who must act: each names the function and the limit.

namespace hotplate::inline HOTPLATE_ABI::detail {

using failure = owned<const made_error>;

/// What an error says beside its code, its function and its sentence.
struct details {
  std::int64_t limit = 0;
  std::int64_t value = 0;
  std::chrono::milliseconds retry_after{0};
  std::string exception_type = {};
  stage reached = stage::arrival;
};

struct spare_errors {
  /// One of the engine's where there is no memory for another; null if they are
  /// all in use. settle.hpp
  static owned<made_error> take(core& engine) noexcept;
  /// One that others hold as well, and nobody may change.
  static failure share(const core& engine, errc code) noexcept;
};

/// Longer names are of no function: "name:qualifier" has 129 bytes at most.
inline constexpr std::size_t longest_told = 160;

inline failure describe_error(owned<made_error> made, errc code,
                              std::string_view function, std::string message,
                              details&& more) noexcept {
  made->code = code;
  made->message = std::move(message);
  made->exception_type = std::move(more.exception_type);
  made->reached = more.reached;
  made->limit = more.limit;
  made->value = more.value;
  made->retry_after = more.retry_after;
  try {
    made->function = function.substr(0, longest_told);
  } catch (const std::bad_alloc&) {
  }
  return made;
}

/// Never fails, since who calls it mostly must not; what has no room is left
/// out.
inline failure make_error(core& engine, errc code, std::string_view function,
                          std::string message, details more = {}) noexcept {
  owned<made_error> made = spare_errors::take(engine);
  if (made == nullptr) return spare_errors::share(engine, code);
  return describe_error(std::move(made), code, function, std::move(message),
                        std::move(more));
}

inline failure make_error(const invocation& call, errc code,
                          std::string message, details more = {}) noexcept {
  more.reached = call.reached.load(std::memory_order_relaxed);
  return make_error(
      *call.engine, code,
      call.target == nullptr ? std::string_view() : call.target->name,
      std::move(message), std::move(more));
}

inline details with_limit(std::int64_t limit, std::int64_t value) noexcept {
  return {.limit = limit, .value = value};
}
inline details with_limit(std::size_t limit, std::size_t value) noexcept {
  return with_limit(static_cast<std::int64_t>(limit),
                    static_cast<std::int64_t>(value));
}

/// A function's limit may have room again when one of its invocations ends.
inline details with_retry(const invocation& call, std::int64_t limit,
                          std::int64_t value) noexcept {
  return {.limit = limit,
          .value = value,
          .retry_after = call.target->meter.mean_duration()};
}

inline std::string_view name_of(const invocation& call) noexcept {
  if (call.target == nullptr) return "(continuation)";
  return call.target->name;
}

inline failure is_not_found(core& engine, std::string_view name) noexcept {
  return make_error(engine, errc::not_found, name,
                    sentence({"no function ", shown(name), " is deployed"}));
}

inline failure is_removed(const invocation& call) {
  return make_error(
      call, errc::not_found,
      sentence({"function ", call.target->name, " was removed meanwhile"}));
}

inline failure has_no_qualifier(core& engine, std::string_view name,
                                std::string_view qualifier) noexcept {
  return make_error(engine, errc::not_found, name,
                    sentence({"function ", name, " has no version or alias ",
                              shown(qualifier)}));
}

/// In a forked child, which has no threads to lock the engine's reserve.
inline failure is_unusable(const core& engine,
                           std::string_view name = {}) noexcept {
  owned<made_error> made(new (std::nothrow) made_error);
  if (made == nullptr)
    return spare_errors::share(engine, errc::engine_unusable);
  return describe_error(
      std::move(made), errc::engine_unusable, name,
      sentence(
          {name.empty() ? "" : "function ", shown(name),
           name.empty() ? "" : " cannot be invoked: ", "this process was ",
           "forked from the engine's, without its threads; make an engine ",
           "of its own"}),
      {});
}

inline failure has_no_room(core& engine, std::string_view name) noexcept {
  return make_error(engine, errc::resource_exhausted, name,
                    sentence({"the host has no memory for an invocation of ",
                              "function ", shown(name)}));
}

inline failure has_no_codec(const invocation& call) {
  return make_error(
      call, errc::no_codec,
      sentence({"function ", call.target->name, " is ",
                readable(call.version->signature),
                ", for which there is no codec; call it through its handle, ",
                "or specialise hotplate::codec"}));
}

inline failure is_too_large(const invocation& call, errc code,
                            std::size_t bytes, std::size_t limit) {
  return make_error(
      call, code,
      sentence({"the ", code == errc::event_too_large ? "event" : "response",
                " of function ", call.target->name, " has ", bytes,
                " bytes, the engine's limit is ", limit}),
      with_limit(limit, bytes));
}

inline failure has_too_long(const invocation& call, std::string_view what,
                            std::size_t bytes, std::size_t limit) {
  return make_error(call, errc::bad_event,
                    sentence({"the ", what, " for function ", call.target->name,
                              " has ", bytes, " bytes, the limit is ", limit}),
                    with_limit(limit, bytes));
}

inline failure is_draining(const invocation& call) {
  const bool ran =
      call.started.load(std::memory_order_relaxed) != invocation::never;
  return make_error(
      call, errc::draining,
      sentence({"function ", name_of(call), ran ? " was ended" : " is not run",
                ": the engine is shutting down"}));
}

inline failure is_pumping(const invocation& call) {
  return make_error(call, errc::already_pumping,
                    sentence({"function ", name_of(call),
                              " was waited for within the pump, but not in a "
                              "handler"}));
}

/// Told of it by a meter that calls the engine.
inline failure is_metered(const invocation& call) {
  return make_error(call, errc::already_pumping,
                    sentence({"a meter that is told of function ",
                              name_of(call), " must neither invoke nor wait"}));
}

inline failure is_throttled(const invocation& call, const gate& full,
                            std::string_view whose) {
  const std::int64_t inside = full.inside();
  std::string text = sentence(
      {"function ", call.target->name, " is throttled: ", inside, " of ",
       full.limit(), " concurrent invocations ", whose, " are in flight"});
  const std::int64_t overruns =
      call.target->overruns.load(std::memory_order_relaxed);
  if (&full == &call.target->limit && overruns > 0) {
    text = sentence({text, ", ", overruns, " of them overruns"});
  }
  return make_error(call, errc::throttled, std::move(text),
                    with_retry(call, full.limit(), inside));
}

inline failure is_one_tenant_too_many(const invocation& call,
                                      const gate& crowd) {
  return make_error(
      call, errc::throttled,
      sentence({"function ", call.target->name, " is throttled: tenant ",
                call.labels.tenant(), " is one too many, ", crowd.limit(),
                " tenants have invocations in flight"}),
      with_retry(call, crowd.limit(), crowd.limit()));
}

inline failure lacks_instance(const invocation& call) {
  const std::int64_t most = call.version->config.max_instances;
  return make_error(
      call, errc::throttled,
      sentence({"function ", call.target->name, " is throttled: all ", most,
                " instances that max_instances allows are in use"}),
      with_retry(call, most, most));
}

inline failure lacks_memory(const invocation& call,
                            const instance_budget& budget) {
  const std::int64_t used = budget.used();
  return make_error(
      call, errc::throttled,
      sentence({"function ", call.target->name, " is throttled: one more ",
                "instance needs ", call.version->config.memory.count,
                " MiB; of the ", budget.limit(),
                " that instance_memory allows, ", used,
                " are held by instances that cannot be evicted now"}),
      with_retry(call, budget.limit(), used));
}

inline failure is_out_of_memory(const invocation& call, std::string_view what) {
  return make_error(call, errc::resource_exhausted,
                    sentence({"the host has no memory ", what, " for function ",
                              name_of(call)}));
}

inline failure holds_too_much(const invocation& call, std::size_t limit) {
  const std::size_t bytes = call.memory.crowded();
  return make_error(
      call, errc::resource_exhausted,
      sentence({"with the response of function ", name_of(call),
                " there would be ", bytes,
                " bytes of responses held, the engine's limit is ", limit,
                " (max_held_response_bytes)"}),
      with_limit(limit, bytes));
}

inline failure has_stalled(const invocation& call) {
  return make_error(call, errc::stalled,
                    sentence({"function ", name_of(call),
                              " cannot go on: nothing is ready and no timer is "
                              "armed in this host-pumped engine"}));
}

inline failure is_cancelled(const invocation& call) {
  return make_error(call, errc::cancelled,
                    sentence({"the invocation of function ", name_of(call),
                              " was cancelled"}));
}

/// Ended by somebody else than its handler.
inline failure is_ended_by(const invocation& call, errc why) {
  if (why == errc::draining) return is_draining(call);
  if (why == errc::stalled) return has_stalled(call);
  if (why == errc::already_pumping) return is_pumping(call);
  return is_cancelled(call);
}

/// When the stage that it has reached began.
inline std::int64_t stage_start(const invocation& call, stage reached) {
  if (reached == stage::handler) {
    return call.handler_started.load(std::memory_order_relaxed);
  }
  if (reached == stage::init) {
    return call.started.load(std::memory_order_relaxed);
  }
  return call.arrived;
}

/// "1.500" for that many nanoseconds.
inline std::string in_seconds(std::int64_t time) {
  const decimal thousandths(1'000 + time / 1'000'000 % 1'000);
  return sentence({time / 1'000'000'000, ".", thousandths.text().substr(1)});
}

/// What it waits for, before it runs.
inline std::string what_lacks(const invocation& call, stage reached) {
  if (reached == stage::admission) {
    constexpr std::string_view whose[] = {"", "of this function",
                                          "of the engine", "of its tenant",
                                          "for tenants"};
    return sentence({", waiting for one of the ", call.lacks.limit, " places ",
                     whose[static_cast<std::size_t>(call.lacks.of)]});
  }
  if (reached != stage::queue) return {};
  if (call.started.load(std::memory_order_relaxed) != invocation::never) {
    return sentence({", waiting for an instance"});
  }
  return sentence({call.stack_class == no_stack ? ", waiting for a thread"
                                                : ", waiting for a worker"});
}

inline failure has_timed_out(const invocation& call, std::int64_t deadline) {
  const stage reached = call.reached.load(std::memory_order_relaxed);
  // A caller's own may have been over before it called.
  const std::int64_t start = stage_start(call, reached);
  const std::int64_t time = deadline > start ? deadline - start : 0;
  return make_error(
      call, errc::timed_out,
      sentence({"function ", call.target->name, " timed out after ",
                in_seconds(time), " seconds in stage ", to_string(reached),
                what_lacks(call, reached)}),
      with_limit(time / 1'000'000, time / 1'000'000));
}

inline failure lacks_thread(const invocation& call) {
  return make_error(call, errc::resource_exhausted,
                    sentence({"the host has no thread for blocking function ",
                              call.target->name}));
}

inline failure lacks_guest_place(const invocation& call, int limit) {
  return make_error(
      call, errc::resource_exhausted,
      sentence({"function ", call.target->name, ": ", limit,
                " threads are in invoke_here (max_guest_threads)"}),
      with_limit(std::int64_t{limit}, std::int64_t{limit}));
}

inline failure used_up_memory(const invocation& call) {
  return make_error(
      call, errc::out_of_memory,
      sentence({"function ", call.target->name, " used up its memory of ",
                call.version->config.memory.count, " MiB"}),
      with_limit(call.memory.limit(), call.memory.wanted()));
}

inline failure cannot_decode(const invocation& call, std::string_view reason) {
  return make_error(
      call, errc::bad_event,
      sentence({"the event does not suit function ", call.target->name, ", ",
                readable(call.version->signature), ": ", reason}));
}

/// The exception being handled, by its type's name in the source.
inline std::string exception_type_name() noexcept try {
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "unknown";
  return demangled(type->name());
} catch (const std::bad_alloc&) {
  return "(no memory)";
}

/// Of an exception's text as much as a log line has: each link of a chain may
/// throw what it got from the one before, and add to it.
inline constexpr std::size_t longest_what = 4096;

/// To be called where the exception is caught.
inline failure handler_threw(const invocation& call, const char* text) {
  const std::string_view whole = text != nullptr ? text : "(null)";
  const std::string_view what = whole.substr(0, longest_what);
  const bool init = call.reached.load(std::memory_order_relaxed) == stage::init;
  std::string type = exception_type_name();
  std::string message = sentence(
      {init ? "the cold start" : "the handler", " of function ", name_of(call),
       " threw ", type, ": ", what, what.size() < whole.size() ? "..." : ""});
  return make_error(call, init ? errc::init_failed : errc::function_threw,
                    std::move(message), {.exception_type = std::move(type)});
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
