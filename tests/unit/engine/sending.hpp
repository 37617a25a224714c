#pragma once

#include <gtest/gtest.h>

#include <chrono>
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

/// A host-pumped engine, and handlers that fail as often as they are told.
class sending_test : public testing::Test {
 protected:
  // Fails `times` times, and notes when it was called.
  auto failing(int times) {
    return [this, times, left = times](hotplate::context& ctx) mutable {
      called_at_.push_back(ctx.now().time_since_epoch());
      if (times < 0 || left-- > 0) throw std::runtime_error("no luck");
    };
  }
  static constexpr int always = -1;

  auto stats() const { return engine_.stats().events; }

  hotplate::manual_clock clock_;
  record_usage meter_;
  std::vector<std::chrono::nanoseconds> called_at_;
  hotplate::engine engine_{
      {.workers = 0, .clock = &clock_, .meters = {&meter_}}};
};
