// Question: what does fan_out.hpp cost with oneTBB, one by one and in bulk?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "compare/fan_out/fan_out.hpp"

namespace compare {
namespace {

// The benchmark's thread is one of the two, as oneTBB has it.
template <typename Spread>
void within_arena(benchmark::State& state, const Spread& spread) {
  const tbb::global_control control(
      tbb::global_control::max_allowed_parallelism, fan_out::workers);
  tbb::task_arena arena(fan_out::workers);
  arena.execute([&] { fan_out::measure(state, spread); });
}

// run() each and wait(), as oneTBB's guide has it for single tasks ("Migrating
// from low-level task API"):
// oneapi-src.github.io/oneTBB/main/tbb_userguide/Migration_Guide/Task_API.html
void tasks(benchmark::State& state) {
  within_arena(state, [](fan_out::round& each) {
    tbb::task_group group;
    for (int i = 0; i < fan_out::children; ++i) {
      group.run([&each, i] { each.run_child(i); });
    }
    group.wait();
  });
}
BENCHMARK(tasks)->Name("fan_out/tbb")->UseRealTime();

// Makes far fewer tasks than children: shown, not to be compared.
void bulk(benchmark::State& state) {
  within_arena(state, [](fan_out::round& each) {
    tbb::parallel_for(0, fan_out::children,
                      [&each](int i) { each.run_child(i); });
  });
}
BENCHMARK(bulk)->Name("fan_out/tbb_parallel_for")->UseRealTime();

}  // namespace
}  // namespace compare
