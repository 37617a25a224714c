// Question: what does a warm invocation cost, by each way to make one?
// Unit: ns of wall time a call.
// Left out: contention, the cold start, the handler's own work (x + 1).
#include "inside.hpp"

namespace {

using hotplate::context;

// Floor.
void direct(benchmark::State& state) {
  int (*volatile call)(int) = [](int x) { return x + 1; };
  int x = 0;
  bool right = true;
  for (auto _ : state) {
    right &= call(x) == x + 1;
    ++x;
  }
  if (!right) state.SkipWithError("a wrong answer");
}

void typed_nested(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  call_nested(engine, state, engine.deploy<increment>("increment"));
}

// Of each page that it was given, the handler uses the first byte.
void scratch_nested(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  call_nested(engine, state, engine.deploy("scratch", [](context& ctx, int x) {
    auto* const scratch = static_cast<char*>(ctx.arena().allocate(4096));
    *scratch = 1;
    benchmark::DoNotOptimize(scratch);
    return x + *scratch;
  }));
}

// What it would cost from the heap.
void malloc_nested(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  call_nested(engine, state, engine.deploy("scratch", [](context&, int x) {
    auto* const scratch = static_cast<char*>(std::malloc(4096));
    *scratch = 1;
    benchmark::DoNotOptimize(scratch);
    const int answer = x + *scratch;
    std::free(scratch);
    return answer;
  }));
}

void named_nested(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  engine.deploy("size", [](context&, hotplate::payload_view event) {
    return static_cast<int>(event.size());
  });
  const std::string event(100, 'x');
  in_handler(engine, state, [&](context& ctx) {
    bool right = true;
    for (auto _ : state) {
      const auto answer = ctx.invoke("size", event);
      right &= answer && answer.value().text() == "100";
    }
    if (!right) state.SkipWithError("a wrong answer");
  });
}

void invoke_here(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  const auto target = engine.deploy<increment>("increment");
  bool right = true;
  int x = 0;
  for (auto _ : state) {
    ++x;
    right &= answers(engine.invoke_here(target, x), x);
  }
  if (!right) state.SkipWithError("a wrong answer");
}

// The two halves of an invocation that nobody waits for, without another core:
// each of a batch.
template <bool starting>
void half(benchmark::State& state) {
  constexpr int batch = 512;
  constexpr std::int64_t out_of_reach = 1'000'000;
  hotplate::engine engine({.workers = 0, .max_concurrency = out_of_reach});
  const auto target =
      engine.deploy<increment>("increment", {.max_concurrency = out_of_reach});
  using clock = std::chrono::steady_clock;
  const std::uint64_t before = engine.stats().invocations;
  std::uint64_t all = 0;
  for (auto _ : state) {
    const auto start = clock::now();
    for (int i = 0; i < batch; ++i) target.async(i).detach();
    const auto middle = clock::now();
    engine.run_until_idle();
    const auto end = clock::now();
    const std::chrono::duration<double> took =
        starting ? middle - start : end - middle;
    state.SetIterationTime(took.count() / batch);
    all += batch;
  }
  if (engine.stats().invocations - before != all) {
    state.SkipWithError("some were lost");
  }
}

BENCHMARK(direct)->Name("call/direct")->UseRealTime();
BENCHMARK(typed_nested)->Name("call/typed_nested")->UseRealTime();
BENCHMARK(scratch_nested)->Name("call/scratch_nested")->UseRealTime();
BENCHMARK(malloc_nested)->Name("call/malloc_nested")->UseRealTime();
BENCHMARK(named_nested)->Name("call/named_nested")->UseRealTime();
BENCHMARK(invoke_here)->Name("call/invoke_here")->UseRealTime();
// So many batches: the time that counts is that of one invocation of each.
BENCHMARK(half<true>)
    ->Name("call/async_start")
    ->Iterations(2'000)
    ->UseManualTime();
BENCHMARK(half<false>)
    ->Name("call/async_run")
    ->Iterations(2'000)
    ->UseManualTime();

}  // namespace
