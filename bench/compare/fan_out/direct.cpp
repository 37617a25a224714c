// Question: what is the floor, 1,000 calls in a loop?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include "compare/fan_out/fan_out.hpp"

namespace compare {
namespace {

void direct(benchmark::State& state) {
  fan_out::measure(state, [](fan_out::round& each) {
    for (int i = 0; i < fan_out::children; ++i) {
      each.run_child(i);
      benchmark::ClobberMemory();
    }
  });
}
BENCHMARK(direct)->Name("fan_out/direct")->UseRealTime();

}  // namespace
}  // namespace compare
