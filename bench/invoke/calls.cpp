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

BENCHMARK(direct)->Name("call/direct")->UseRealTime();
BENCHMARK(typed_nested)->Name("call/typed_nested")->UseRealTime();
BENCHMARK(scratch_nested)->Name("call/scratch_nested")->UseRealTime();
BENCHMARK(malloc_nested)->Name("call/malloc_nested")->UseRealTime();
BENCHMARK(named_nested)->Name("call/named_nested")->UseRealTime();
BENCHMARK(invoke_here)->Name("call/invoke_here")->UseRealTime();

}  // namespace
