// Question: what does submit.hpp cost with Boost.Fiber, a fiber a task, or as
// tasks given to its threads by a channel?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include "compare/submit/fibers.hpp"

namespace compare {
namespace {

BENCHMARK(submit::start_fibers)->Name("submit/boost_fiber")->UseRealTime();

void channel(benchmark::State& state) {
  channel_fibers pool(submit::workers);
  submit::measure_pool(state, pool);
}
BENCHMARK(channel)->Name("submit/boost_fiber_channel")->UseRealTime();

}  // namespace
}  // namespace compare

int main(int count, char** arguments) {
  using namespace compare;
  return submit::run(stacks::by_default, count, arguments);
}
