// Question: how late are the jobs of tail.hpp with Boost.Fiber?
// Unit: ns from arrival to end. Left out: as tail.hpp says.
#include "compare/support/fiber_pools.hpp"
#include "compare/tail/tail.hpp"

namespace compare {
namespace {

void run(benchmark::State& state) {
  channel_fibers pool(tail::workers);
  tail::measure(state, pool);
}
BENCHMARK(run)->Name("tail/boost_fiber")->Apply(tail::sweep);

}  // namespace
}  // namespace compare
