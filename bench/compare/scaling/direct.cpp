// Question: what is the most that scaling.hpp can find here: each thread
// counting atomically on a cache line of its own?
// Unit: ns of wall time a call. Left out: as scaling.hpp says.
#include <atomic>

#include "compare/scaling/scaling.hpp"

namespace compare {
namespace {

void private_counter(benchmark::State& state) {
  alignas(64) std::atomic<int> counter = 0;
  scaling::measure(state, [&](int x) {
    counter.fetch_add(1, std::memory_order_relaxed);
    return scaling::answer(x);
  });
}
BENCHMARK(private_counter)->Name("scaling/direct")->Apply(scaling::sweep);

}  // namespace
}  // namespace compare
