// Question: what does submit.hpp cost with Boost.Fiber, a fiber a task, or as
// tasks given to its threads by a channel?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include "compare/submit/submit.hpp"
#include "compare/support/fiber_pools.hpp"

namespace compare {
namespace {

// Fibers can be started only by a thread that schedules them: the client is one
// of three, and runs some itself while the window is full.
void stealing(benchmark::State& state) {
  submit::tally done;
  submit::measure(
      state, done,
      [&](std::uint32_t x) {
        boost::fibers::fiber(boost::fibers::launch::post, [&done, x] {
          done.add(submit::answer(x));
        }).detach();
      },
      [] { boost::this_fiber::yield(); });
}

BENCHMARK(stealing)->Name("submit/boost_fiber")->UseRealTime();

void channel(benchmark::State& state) {
  channel_fibers pool(submit::workers);
  submit::measure_pool(state, pool);
}
BENCHMARK(channel)->Name("submit/boost_fiber_channel")->UseRealTime();

}  // namespace
}  // namespace compare

int main(int count, char** arguments) {
  return compare::run_with_stealing_fibers(compare::submit::workers + 1, count,
                                           arguments);
}
