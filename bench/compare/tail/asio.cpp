// Question: how late are the jobs of tail.hpp with Boost.Asio's thread_pool?
// Unit: ns from arrival to end. Left out: as tail.hpp says.
#include "compare/support/asio_pool.hpp"
#include "compare/tail/tail.hpp"

namespace compare {
namespace {

void run(benchmark::State& state) {
  asio_pool pool(tail::workers);
  tail::measure(state, pool);
}
BENCHMARK(run)->Name("tail/asio")->Apply(tail::sweep);

}  // namespace
}  // namespace compare
