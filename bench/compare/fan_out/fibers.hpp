#pragma once

// What fan_out.hpp measures, with Boost.Fiber and a fiber a child.

#include "compare/fan_out/fan_out.hpp"
#include "compare/support/fiber_pools.hpp"

namespace compare::fan_out {

inline void start_fibers(benchmark::State& state) {
  measure(state, [](round& each) {
    std::vector<boost::fibers::fiber> started;
    started.reserve(children);
    for (int i = 0; i < children; ++i) {
      started.emplace_back(boost::fibers::launch::post,
                           [&each, i] { each.run_child(i); });
    }
    for (boost::fibers::fiber& child : started) child.join();
  });
}

inline int run(stacks from, int count, char** arguments) {
  return run_with_stealing_fibers(workers, from, count, arguments);
}

}  // namespace compare::fan_out
