#pragma once

// What submit.hpp measures, with Boost.Fiber and a fiber a task.

#include "compare/submit/submit.hpp"
#include "compare/support/fiber_pools.hpp"

namespace compare::submit {

// Fibers can be started only by a thread that schedules them: the client is one
// of three, and runs some itself while the window is full.
inline void start_fibers(benchmark::State& state) {
  tally done;
  measure(
      state, done,
      [&](std::uint32_t x) {
        boost::fibers::fiber(boost::fibers::launch::post, [&done, x] {
          done.add(answer(x));
        }).detach();
      },
      [] { boost::this_fiber::yield(); });
}

inline int run(stacks from, int count, char** arguments) {
  return run_with_stealing_fibers(workers + 1, from, count, arguments);
}

}  // namespace compare::submit
