// Question: what do a cold and a warm invocation cost, beside a direct call?
// Unit: ns of wall time a call, with its distribution. `start/...` is timed in
//   batches of 64, since reading the clock takes some 25 ns itself, so that its
//   p99 is among means of 64; `latency/...` call by call, less one pair of
//   clock reads.
// Left out: deploying, contention, a handler's own constructor and work.
#include <array>
#include <memory>
#include <string>

#include "inside.hpp"

namespace {

using hotplate::context;
using hotplate::start_kind;
using clock_type = std::chrono::steady_clock;

constexpr int batch_of_calls = 64;
constexpr int single = 1;

double ns_since(clock_type::time_point start) {
  return std::chrono::duration<double, std::nano>(clock_type::now() - start)
      .count();
}

double clock_pair() {
  std::array<double, 999> pairs{};
  for (double& each : pairs) each = ns_since(clock_type::now());
  std::nth_element(pairs.begin(), pairs.begin() + 499, pairs.end());
  return pairs[499];
}

/// Runs the benchmark: `call(x)` says whether it got x + 1 as it should.
template <typename Call>
void measure(benchmark::State& state, int batch, const Call& call) {
  const double between = batch == single ? clock_pair() : 0;
  std::vector<double> samples;
  int x = 0;
  for (auto _ : state) {
    const auto start = clock_type::now();
    for (int i = 0; i < batch; ++i) {
      if (!call(++x)) return state.SkipWithError("a wrong answer or start");
    }
    samples.push_back(std::max(0.0, ns_since(start) - between) / batch);
  }
  state.SetItemsProcessed(state.iterations() * batch);
  report_quantiles(state, samples);
}

hotplate::function_config config_for(start_kind start) {
  hotplate::function_config config{.timeout = std::chrono::minutes(15)};
  if (start != start_kind::warm) config.keep_alive = {};
  config.snapshot = start == start_kind::restored;
  return config;
}

bool is_right(const hotplate::outcome<int>& answer, int x, start_kind start) {
  return answers(answer, x) && answer.usage().start == start;
}

// Floor.
void direct_call(benchmark::State& state) {
  int (*volatile call)(int) = [](int x) { return x + 1; };
  measure(state, batch_of_calls, [&](int x) { return call(x) == x + 1; });
}

template <typename State>
void nested(benchmark::State& state, start_kind start, int batch) {
  hotplate::engine engine(two_workers());
  const auto target = engine.deploy<State>("increment", config_for(start));
  in_handler(engine, state, [&](context&) {
    (void)target(0);
    measure(state, batch, [&](int x) { return is_right(target(x), x, start); });
  });
}

void typed(benchmark::State& state, start_kind start, int batch) {
  nested<increment>(state, start, batch);
}

void named(benchmark::State& state, start_kind start, int batch) {
  hotplate::engine engine(two_workers());
  engine.deploy<increment>("increment", config_for(start));
  in_handler(engine, state, [&](context& ctx) {
    (void)ctx.invoke("increment", "0");
    measure(state, batch, [&](int x) {
      const auto answer = ctx.invoke("increment", std::to_string(x));
      return answer && answer.value().text() == std::to_string(x + 1) &&
             answer.usage().start == start;
    });
  });
}

void from_thread(benchmark::State& state, start_kind start) {
  hotplate::engine engine(two_workers());
  const auto target = engine.deploy<increment>("increment", config_for(start));
  (void)target(0);
  measure(state, single, [&](int x) { return is_right(target(x), x, start); });
}

// With state that a cold start sets to zero.
struct with_64_kib : increment {
  std::array<char, 64 << 10> state{};
};

void cold_64_kib(benchmark::State& state, int batch) {
  nested<with_64_kib>(state, start_kind::cold, batch);
}

// Copying takes some 10 us, initialising 5 ms.
struct image : increment {
  image() {
    const auto until = clock_type::now() + std::chrono::milliseconds(5);
    while (clock_type::now() < until) bytes[0] = 1;
  }
  std::array<char, 768 << 10> bytes{};
};

void restored(benchmark::State& state) {
  nested<image>(state, start_kind::restored, single);
}

// Floor: what the engine cannot do without.
void copied(benchmark::State& state) {
  const auto original = std::make_unique<image>();
  measure(state, single, [&](int) {
    const auto copy = std::make_unique<image>(*original);
    benchmark::DoNotOptimize(copy->bytes.data());
    return copy->bytes[0] == 1;
  });
}

constexpr auto warm = start_kind::warm;
constexpr auto cold = start_kind::cold;

BENCHMARK(direct_call)->Name("start/direct")->UseRealTime();
BENCHMARK_CAPTURE(typed, warm, warm, batch_of_calls)
    ->Name("start/typed_nested/warm")
    ->UseRealTime();
BENCHMARK_CAPTURE(typed, cold, cold, batch_of_calls)
    ->Name("start/typed_nested/cold")
    ->UseRealTime();
BENCHMARK_CAPTURE(named, warm, warm, batch_of_calls)
    ->Name("start/named_nested/warm")
    ->UseRealTime();
BENCHMARK_CAPTURE(named, cold, cold, batch_of_calls)
    ->Name("start/named_nested/cold")
    ->UseRealTime();
BENCHMARK_CAPTURE(cold_64_kib, cold, batch_of_calls)
    ->Name("start/64_kib_of_state/cold")
    ->UseRealTime();

BENCHMARK_CAPTURE(typed, each_warm, warm, single)
    ->Name("latency/typed_nested/warm")
    ->UseRealTime();
BENCHMARK_CAPTURE(typed, each_cold, cold, single)
    ->Name("latency/typed_nested/cold")
    ->UseRealTime();
BENCHMARK_CAPTURE(from_thread, warm, warm)
    ->Name("latency/typed_from_thread/warm")
    ->UseRealTime();
BENCHMARK_CAPTURE(from_thread, cold, cold)
    ->Name("latency/typed_from_thread/cold")
    ->UseRealTime();

BENCHMARK(restored)->Name("snapshot/restored")->UseRealTime();
BENCHMARK(copied)->Name("snapshot/copy")->UseRealTime();

}  // namespace
