// Question: what does submit.hpp cost with a queue, a mutex and two threads?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include "compare/submit/submit.hpp"
#include "compare/support/std_thread_pool.hpp"

namespace compare {
namespace {

void std_thread(benchmark::State& state) {
  std_thread_pool pool(submit::workers);
  submit::measure_pool(state, pool);
}
BENCHMARK(std_thread)->Name("submit/std_thread")->UseRealTime();

}  // namespace
}  // namespace compare
