// Question: what does submit.hpp cost with oneTBB, as bare tasks?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include <tbb/global_control.h>
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include "compare/submit/submit.hpp"
#include "compare/support/tbb_pool.hpp"

namespace compare {
namespace {

// task_group::run is what oneTBB's guide has for spawning single tasks
// ("Migrating from low-level task API"):
// oneapi-src.github.io/oneTBB/main/tbb_userguide/Migration_Guide/Task_API.html
template <typename Pause>
void run_in_group(benchmark::State& state, int threads, const Pause& pause) {
  const tbb::global_control control(
      tbb::global_control::max_allowed_parallelism,
      static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  arena.execute([&] {
    submit::tally done;
    tbb::task_group group;
    submit::measure(
        state, done,
        [&](std::uint32_t x) {
          group.run([&done, x] { done.add(submit::answer(x)); });
        },
        [&] { pause(group); });
    group.wait();
  });
}

// Two workers and a client that only submits, as with all others.
void tbb_group(benchmark::State& state) {
  run_in_group(state, submit::workers + 1,
               [](tbb::task_group&) { std::this_thread::yield(); });
}
BENCHMARK(tbb_group)->Name("submit/tbb")->UseRealTime();

// oneTBB's own way: a client that has to wait is one of the two workers.
void tbb_helping(benchmark::State& state) {
  run_in_group(state, submit::workers,
               [](tbb::task_group& group) { group.wait(); });
}
BENCHMARK(tbb_helping)->Name("submit/tbb_helping")->UseRealTime();

void tbb_enqueue(benchmark::State& state) {
  tbb_pool pool(submit::workers);
  submit::measure_pool(state, pool);
}
BENCHMARK(tbb_enqueue)->Name("submit/tbb_enqueue")->UseRealTime();

}  // namespace
}  // namespace compare
