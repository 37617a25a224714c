#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hotplate/send.hpp"

/// One way to an error, on an engine of its own that has a function "fine".
struct way {
  const char* how;
  hotplate::engine_config config;
  hotplate::error (*reach)(hotplate::engine&);
  // What is expected of it:
  std::string function;
  std::string named;  ///< In the message.
  hotplate::stage reached = hotplate::stage::arrival;
  std::int64_t limit = 0;
  std::int64_t value = 0;
};

/// Host-pumped; the test adds a manual clock.
inline hotplate::engine_config pumped(hotplate::engine_config config = {}) {
  config.workers = 0;
  return config;
}
inline hotplate::engine_config threaded(hotplate::engine_config config = {}) {
  config.workers = 1;
  return config;
}

inline constexpr auto nap = [](hotplate::context& ctx) {
  ctx.sleep_for(std::chrono::seconds(1));
};

/// What a cold start that takes long moves.
inline hotplate::manual_clock* moved_clock = nullptr;

std::vector<way> ways_to_not_found();
std::vector<way> ways_to_throttled();
std::vector<way> ways_to_timed_out();
std::vector<way> ways_to_cancelled();
std::vector<way> ways_to_event_too_large();
std::vector<way> ways_to_bad_event();
std::vector<way> ways_to_no_codec();
std::vector<way> ways_to_already_pumping();
std::vector<way> ways_to_stalled();
std::vector<way> ways_to_function_threw();
std::vector<way> ways_to_out_of_memory();
std::vector<way> ways_to_init_failed();
std::vector<way> ways_to_response_too_large();
std::vector<way> ways_to_resource_exhausted();
std::vector<way> ways_to_draining();
std::vector<way> ways_to_engine_unusable();
