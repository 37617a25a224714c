// Question: what does fan_out.hpp cost with a queue, a mutex and two threads?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include "compare/fan_out/fan_out.hpp"
#include "compare/support/std_thread_pool.hpp"

namespace compare {
namespace {

void std_thread(benchmark::State& state) {
  std_thread_pool pool(fan_out::workers);
  fan_out::chain(state, pool).measure();
}
BENCHMARK(std_thread)->Name("fan_out/std_thread")->UseRealTime();

}  // namespace
}  // namespace compare
