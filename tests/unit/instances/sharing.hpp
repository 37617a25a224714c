#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "counted.hpp"

/// Waits for so long, and returns the number of its instance.
struct shared_state : counted<shared_state> {
  static inline std::atomic<int> next = 0;
  const int number = next++;
  int operator()(hotplate::context& ctx, std::chrono::milliseconds time) {
    if (time.count() > 0) ctx.sleep_for(time);
    return number;
  }
};

class share_test : public testing::Test {
 protected:
  share_test() {
    shared_state::counts = &counts_;
    shared_state::next = 0;
  }

  using function = hotplate::function<int(std::chrono::milliseconds)>;
  using pending = hotplate::pending<int>;

  function deploy(hotplate::function_config config) {
    return engine_.deploy<shared_state>("f", config);
  }
  pending start(const function& f, std::chrono::milliseconds time) {
    pending started = f.async(time);
    engine_.poll();
    return started;
  }
  std::vector<hotplate::instance_info> instances() {
    return engine_.describe().functions[0].versions.back().instances;
  }

  static constexpr std::chrono::milliseconds now{0};
  instance_counts counts_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};
