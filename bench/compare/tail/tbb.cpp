// Question: how late are the jobs of tail.hpp with oneTBB?
// Unit: ns from arrival to end. Left out: as tail.hpp says.
#include "compare/support/tbb_pool.hpp"
#include "compare/tail/tail.hpp"

namespace compare {
namespace {

void run(benchmark::State& state) {
  tbb_pool pool(tail::workers);
  tail::measure(state, pool);
}
BENCHMARK(run)->Name("tail/tbb")->Apply(tail::sweep);

}  // namespace
}  // namespace compare
