// Question: what is the floor, the client doing the work of submit.hpp itself?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include "compare/submit/submit.hpp"

namespace compare {
namespace {

void direct(benchmark::State& state) {
  submit::tally done;
  submit::measure(state, done,
                  [&](std::uint32_t x) { done.add(submit::answer(x)); });
}
BENCHMARK(direct)->Name("submit/direct")->UseRealTime();

}  // namespace
}  // namespace compare
