// Question: how does scaling.hpp come out with oneTBB, a task group a call?
// Unit: ns of wall time a call. Left out: as scaling.hpp says.
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "compare/scaling/scaling.hpp"

namespace compare {
namespace {

// Each thread brings its own place in the arena, as oneTBB has it.
void tasks(benchmark::State& state) {
  static const tbb::global_control control(
      tbb::global_control::max_allowed_parallelism, scaling::workers);
  static tbb::task_arena arena(scaling::workers, scaling::workers);
  arena.execute([&] {
    scaling::measure(state, [](int x) {
      int answered = 0;
      tbb::task_group group;
      group.run_and_wait([&] { answered = scaling::answer(x); });
      return answered;
    });
  });
}
BENCHMARK(tasks)->Name("scaling/tbb")->Apply(scaling::sweep);

}  // namespace
}  // namespace compare
