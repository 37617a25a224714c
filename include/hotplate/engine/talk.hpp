#pragma once

#include <stop_token>

#include "hotplate/engine/core.hpp"

// What a handler says, and how it is told to stop.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline bool core::logs(const invocation& call, log_level level) const noexcept {
  return call.options.keep_log ||
         (config_.logs != nullptr && level >= config_.least_log_level);
}

inline void core::log(invocation& call, log_level level,
                      std::string_view text) {
  text = text.substr(0, longest_log_line);
  if (call.options.keep_log) call.log.append(level, text);
  if (config_.logs == nullptr || level < config_.least_log_level) return;
  const request_id id{identity_,
                      (std::uint64_t{call.slot} << 32) | call.generation()};
  try {
    config_.logs->on_log({id, call.target->name, level, now(), text});
  } catch (...) {
    log_failures_.fetch_add(1, std::memory_order_relaxed);
  }
}

inline bool core::is_over(const invocation& call) const noexcept {
  if (call.has(invocation::claimed)) return true;
  // Nobody watches a host-pumped engine while a handler runs.
  return threads_.pumped() &&
         time_.now() > call.deadline.load(std::memory_order_relaxed);
}

// By the handler's side. Whoever settles early looks for the stopper after it
// has claimed; this looks for a claim after it has published the stopper.
inline std::stop_token core::stop_token_of(invocation& call) {
  std::stop_source* known = call.stopper.load(std::memory_order_relaxed);
  if (known == nullptr) {
    known = new std::stop_source;
    call.stopper.store(known, std::memory_order_seq_cst);
    call.is.stoppable = true;
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (call.has(invocation::claimed)) known->request_stop();
  }
  return known->get_token();
}

inline void core::request_stop(invocation& call) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::stop_source* const known = call.stopper.load(std::memory_order_acquire);
  if (known != nullptr) known->request_stop();
}

// For a report of a stack overflow, in a signal handler.
inline std::string_view core::name_of_task(const task& self) noexcept {
  const auto& call = static_cast<const invocation&>(self);
  if (call.target == nullptr) return {};
  return call.target->name;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
