// Question: how late are the jobs of tail.hpp with a queue, a mutex and two
// threads?
// Unit: ns from arrival to end. Left out: as tail.hpp says.
#include "compare/support/std_thread_pool.hpp"
#include "compare/tail/tail.hpp"

namespace compare {
namespace {

void run(benchmark::State& state) {
  std_thread_pool pool(tail::workers);
  tail::measure(state, pool);
}
BENCHMARK(run)->Name("tail/std_thread")->Apply(tail::sweep);

}  // namespace
}  // namespace compare
