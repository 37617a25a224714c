// Question: what does submit.hpp cost with Boost.Asio's thread_pool?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include "compare/submit/submit.hpp"
#include "compare/support/asio_pool.hpp"

namespace compare {
namespace {

void asio(benchmark::State& state) {
  asio_pool pool(submit::workers);
  submit::measure_pool(state, pool);
}
BENCHMARK(asio)->Name("submit/asio")->UseRealTime();

}  // namespace
}  // namespace compare
