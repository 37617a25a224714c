#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/send.hpp"

// What the tests of sending share.

/// A handler that fails, and says at what.
inline void fail(hotplate::context&, hotplate::payload_view event) {
  throw std::runtime_error("cannot " + std::string(event.text()));
}

inline std::vector<hotplate::event_id> ids_of(
    const std::vector<hotplate::dead_letter>& letters) {
  std::vector<hotplate::event_id> all;
  for (const auto& each : letters) all.push_back(each.id);
  return all;
}

/// For host-pumped engines: one thread calls it.
struct record_usage final : hotplate::meter {
  void on_invocation(
      const hotplate::metered_invocation& call) noexcept override {
    seen.push_back(call.usage);
    tenants.emplace_back(call.tenant);
  }
  std::vector<hotplate::usage> seen;
  std::vector<std::string> tenants;
};
