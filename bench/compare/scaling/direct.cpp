// Question: what is the most that scaling.hpp can find here: a counter of each
// thread's own, on a cache line of its own?
// Unit: ns of wall time a call. Left out: as scaling.hpp says.
#include "compare/scaling/scaling.hpp"

namespace compare {
namespace {

void private_counter(benchmark::State& state) {
  alignas(64) int counter = 0;
  scaling::measure(state, [&](int x) {
    benchmark::DoNotOptimize(counter = scaling::answer(x));
    return counter;
  });
}
BENCHMARK(private_counter)->Name("scaling/direct")->Apply(scaling::sweep);

}  // namespace
}  // namespace compare
