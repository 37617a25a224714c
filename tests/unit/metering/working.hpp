#pragma once

#include <functional>
#include <stdexcept>
#include <vector>

#include "hotplate/engine.hpp"

// A function whose every invocation takes as long as the test says, on a clock
// that only the test moves.

struct usage_listener final : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation& call) override {
    seen.push_back(call.usage);
  }
  std::vector<hotplate::usage> seen;
};

/// A cold start of 30 ms, or 2 by copying; a call computes, then sleeps.
struct worked {
  static inline hotplate::manual_clock* clock = nullptr;
  static inline std::function<void()> meanwhile;

  worked() {
    clock->advance(std::chrono::milliseconds(30));
    if (meanwhile) meanwhile();
  }
  worked(const worked&) { clock->advance(std::chrono::milliseconds(2)); }
  void operator()(hotplate::context& ctx, int compute, int sleep) const {
    clock->advance(std::chrono::milliseconds(compute));
    if (sleep > 0) ctx.sleep_for(std::chrono::milliseconds(sleep));
    if (sleep < 0) throw std::runtime_error("as told");
  }
};

using work = hotplate::function<void(int, int)>;

struct bench {
  bench() {
    worked::clock = &clock;
    worked::meanwhile = {};
  }
  work deploy(const hotplate::function_config& config = {}) {
    return engine.deploy<worked>("work", config);
  }
  /// With an instance that has been used.
  work warm(const hotplate::function_config& config = {}) {
    work made = deploy(config);
    made(0, 0).value();
    return made;
  }

  hotplate::manual_clock clock;
  usage_listener meter;
  hotplate::engine engine{{.workers = 0,
                           .max_concurrency = 4,
                           .max_concurrency_per_tenant = 1,
                           .clock = &clock,
                           .meters = {&meter}}};
};
