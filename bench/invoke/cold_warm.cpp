// Question: what do a cold and a warm invocation cost, beside a direct call?
// Unit: ns of wall time per call, as counters p50_ns and p99_ns.
// Left out: deploying, contention, a handler's own constructor and work.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::start_kind;

// Calls between two readings of the clock, which takes some 25 ns itself. What
// is batched has its p99 among means of that many.
constexpr int batch_of_short_calls = 64;
constexpr int single = 1;

// The handler: a class, so that a cold start has an instance to make.
struct increment {
  int operator()(context&, int x) const { return x + 1; }
};

int direct(int x) { return x + 1; }

hotplate::function_config config_for(start_kind start) {
  hotplate::function_config config{.timeout = std::chrono::seconds(900)};
  if (start == start_kind::cold) config.keep_alive = {};
  return config;
}

void report_quantiles(benchmark::State& state, std::vector<double>& samples) {
  if (samples.empty()) return;
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    return samples[static_cast<std::size_t>(
        share * static_cast<double>(samples.size() - 1))];
  };
  state.counters["p50_ns"] = at(0.5);
  state.counters["p99_ns"] = at(0.99);
}

/// Runs the benchmark: `call(x)` says whether it got x + 1 as it should.
template <typename Call>
void measure(benchmark::State& state, int batch, const Call& call) {
  std::vector<double> samples;
  int x = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < batch; ++i) {
      if (!call(++x)) return state.SkipWithError("a wrong answer or start");
    }
    const std::chrono::duration<double, std::nano> taken =
        std::chrono::steady_clock::now() - start;
    samples.push_back(taken.count() / batch);
  }
  state.SetItemsProcessed(state.iterations() * batch);
  report_quantiles(state, samples);
}

bool is_right(const hotplate::outcome<int>& answer, int x, start_kind start) {
  return answer && answer.value() == x + 1 && answer.usage().start == start;
}

// Floor.
void direct_call(benchmark::State& state) {
  int (*volatile call)(int) = direct;
  measure(state, batch_of_short_calls, [&](int x) { return call(x) == x + 1; });
}

void from_thread(benchmark::State& state, start_kind start, int workers) {
  hotplate::engine engine({.workers = workers});
  const auto call = engine.deploy<increment>("increment", config_for(start));
  (void)call(0);
  measure(state, workers == 0 ? batch_of_short_calls : single,
          [&](int x) { return is_right(call(x), x, start); });
}

// The benchmark runs within a handler, on the only worker.
template <typename Call>
void from_handler(benchmark::State& state, start_kind start, Call call) {
  hotplate::engine engine({.workers = 1});
  const auto target = engine.deploy<increment>("increment", config_for(start));
  const auto run = engine.deploy(
      "run",
      [&](context& ctx, benchmark::State* within) {
        (void)target(0);
        measure(*within, batch_of_short_calls,
                [&](int x) { return call(ctx, target, x, start); });
      },
      {.timeout = std::chrono::seconds(900)});
  if (!run(&state)) state.SkipWithError("the handler failed");
}

using handle = hotplate::function<int(int)>;

bool typed_call(context&, const handle& call, int x, start_kind start) {
  return is_right(call(x), x, start);
}

bool named_call(context& ctx, const handle&, int x, start_kind start) {
  const auto answer = ctx.invoke("increment", std::to_string(x));
  return answer && answer.value().text() == std::to_string(x + 1) &&
         answer.usage().start == start;
}

void typed_from_thread(benchmark::State& state, start_kind start) {
  from_thread(state, start, 1);
}
void typed_pumped(benchmark::State& state, start_kind start) {
  from_thread(state, start, 0);
}
void typed_nested(benchmark::State& state, start_kind start) {
  from_handler(state, start, typed_call);
}
void named_nested(benchmark::State& state, start_kind start) {
  from_handler(state, start, named_call);
}

BENCHMARK(direct_call)->UseRealTime();
BENCHMARK_CAPTURE(typed_nested, warm, start_kind::warm)->UseRealTime();
BENCHMARK_CAPTURE(typed_nested, cold, start_kind::cold)->UseRealTime();
BENCHMARK_CAPTURE(named_nested, warm, start_kind::warm)->UseRealTime();
BENCHMARK_CAPTURE(named_nested, cold, start_kind::cold)->UseRealTime();
BENCHMARK_CAPTURE(typed_pumped, warm, start_kind::warm)->UseRealTime();
BENCHMARK_CAPTURE(typed_pumped, cold, start_kind::cold)->UseRealTime();
BENCHMARK_CAPTURE(typed_from_thread, warm, start_kind::warm)->UseRealTime();
BENCHMARK_CAPTURE(typed_from_thread, cold, start_kind::cold)->UseRealTime();

}  // namespace
