// Question: what does a warm call cost when there is much of everything else?
// Unit: ns of wall time of a call within a handler.
// Left out: deploying, filling up, making and freeing events.
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>

#include "hotplate/suspend.hpp"
#include "inside.hpp"

namespace {

using hotplate::context;
using hotplate::payload;
using hotplate::payload_view;

/// The most of what grows by the thousands.
std::int64_t bounded(std::int64_t count) {
  constexpr std::int64_t most_when_quick = 1'000;
  return is_quick() ? std::min(count, most_when_quick) : count;
}

template <typename Done>
void wait_until(const Done& done) {
  while (!done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// Of so many, made once and kept from one repetition to the next: it takes a
/// second. Each purpose has its own.
template <typename Crowd, int Purpose>
Crowd& kept(std::int64_t count) {
  static std::map<std::int64_t, std::unique_ptr<Crowd>> all;
  auto& one = all[count];
  if (!one) one = std::make_unique<Crowd>(count);
  return *one;
}

/// An engine with many functions, in an order without order, each of which has
/// been called.
struct crowd_of_functions {
  explicit crowd_of_functions(std::int64_t functions) : engine(two_workers()) {
    for (std::int64_t i = 0; i < functions; ++i) {
      names.push_back("function-" + std::to_string(i));
      engine.deploy<increment>(names.back());
    }
    std::shuffle(names.begin(), names.end(), std::mt19937_64(1));
    for (const std::string& name : names) (void)engine.invoke_here(name, "0");
  }

  hotplate::engine engine;
  std::vector<std::string> names;
};

// In a handler, since which instance is at hand depends on the worker: all are
// called once before.
void call_by_name(benchmark::State& state, bool uniform) {
  auto& all = kept<crowd_of_functions, 0>(bounded(state.range(0)));
  const std::size_t called = uniform ? all.names.size() : 1;
  in_handler(all.engine, state, [&](context& ctx) {
    bool right = true;
    for (std::size_t i = 0; i < called; ++i)
      (void)ctx.invoke(all.names[i], "1");
    std::size_t at = 0;
    for (auto _ : state) {
      const auto answer = ctx.invoke(all.names[at], "1");
      right &= answer && answer.value().text() == "2";
      if (++at == called) at = 0;
    }
    if (!right) state.SkipWithError("a wrong answer");
  });
}

void one_of_functions(benchmark::State& state) { call_by_name(state, false); }
void any_of_functions(benchmark::State& state) { call_by_name(state, true); }

/// An engine with many invocations that wait, or the instances that those left.
/// Kept as well.
class crowd_of_waiters {
 public:
  explicit crowd_of_waiters(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) waiter.async(waits).detach();
    wait_until([&] { return parked_ == count; });
  }
  crowd_of_waiters(const crowd_of_waiters&) = delete;
  crowd_of_waiters& operator=(const crowd_of_waiters&) = delete;
  ~crowd_of_waiters() { let_go(); }

  void let_go() {
    for (; parked_ > 0; --parked_) end_.release();
    wait_until([&] { return engine.stats().in_flight == 0; });
  }

  hotplate::engine engine{two_workers()};

 private:
  static constexpr int waits = -1;

  hotplate::semaphore end_{engine, 0};
  std::atomic<std::int64_t> parked_ = 0;

 public:
  // Mutable, so that each instance has its own.
  const increment_handle waiter =
      engine.deploy("waiter",
                    [this](context&, int x) mutable {
                      if (x == waits) {
                        ++parked_;
                        end_.acquire();
                      }
                      return x + 1;
                    },
                    {.timeout = std::chrono::minutes(15),
                     .max_concurrency = 1'000'000,
                     .stack_bytes = 16 << 10});
  const increment_handle other = engine.deploy<increment>("increment");
};

void live_instances(benchmark::State& state) {
  crowd_of_waiters& all = kept<crowd_of_waiters, 0>(bounded(state.range(0)));
  all.let_go();
  call_nested(all.engine, state, all.waiter);
}

void parked_invocations(benchmark::State& state) {
  crowd_of_waiters& all = kept<crowd_of_waiters, 1>(bounded(state.range(0)));
  call_nested(all.engine, state, all.other);
}

void tenants(benchmark::State& state) {
  hotplate::engine_config config = two_workers();
  config.max_concurrency_per_tenant = 1'000;
  hotplate::engine engine(config);
  const auto target = engine.deploy<increment>("increment");
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < bounded(state.range(0)); ++i) {
    names.push_back("tenant-" + std::to_string(i));
  }
  in_handler(engine, state, [&](context&) {
    bool right = true;
    std::size_t at = 0;
    for (auto _ : state) {
      right &= answers(target.with({.tenant = names[at]})(1), 1);
      if (++at == names.size()) at = 0;
    }
    if (!right) state.SkipWithError("a wrong answer");
  });
}

void deploy_size(hotplate::engine& engine) {
  engine.deploy("size", [](context&, payload_view event) {
    return static_cast<std::int64_t>(event.size());
  });
}

bool is_size(const hotplate::outcome<payload>& answer, std::int64_t size) {
  return answer && answer.value().text() == std::to_string(size);
}

void event_as_view(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  deploy_size(engine);
  const std::string event(static_cast<std::size_t>(state.range(0)), 'x');
  in_handler(engine, state, [&](context& ctx) {
    bool right = true;
    for (auto _ : state) {
      right &= is_size(ctx.invoke("size", event), state.range(0));
    }
    if (!right) state.SkipWithError("a wrong answer");
  });
}

// There and back: the handler answers with the event that it was given. So
// nobody makes or frees one, which touches memory of the heap's that is as far
// apart as events are large, and is none of an invocation's.
void event_moved(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  engine.deploy("echo", [](context&, payload event) { return event; });
  payload event(std::string(static_cast<std::size_t>(state.range(0)), 'x'));
  const std::byte* const where = event.data();
  in_handler(engine, state, [&](context&) {
    bool right = true;
    for (auto _ : state) {
      auto answer = engine.invoke("echo", std::move(event));
      right &= answer.has_value();
      if (answer) event = std::move(answer).value();
    }
    const bool copied = state.range(0) >= 1 << 10 && event.data() != where;
    if (!right || copied) state.SkipWithError("another answer");
  });
}

void to_100_000(benchmark::internal::Benchmark* one) {
  one->Args({1})->Args({1'000})->Args({10'000})->Args({100'000});
  one->UseRealTime();
}

void to_6_mib(benchmark::internal::Benchmark* one) {
  one->Args({0})->Args({1 << 10})->Args({64 << 10})->Args({1 << 20});
  one->Args({6 << 20});
}

BENCHMARK(one_of_functions)->Name("functions/hot")->Apply(to_100_000);
BENCHMARK(any_of_functions)->Name("functions/uniform")->Apply(to_100_000);
BENCHMARK(live_instances)->Name("instances/live")->Apply(to_100_000);
BENCHMARK(parked_invocations)->Name("invocations/parked")->Apply(to_100_000);
BENCHMARK(tenants)
    ->Name("tenants/uniform")
    ->Args({1})
    ->Args({100})
    ->Args({10'000})
    ->UseRealTime();
BENCHMARK(event_as_view)->Name("event/view")->Apply(to_6_mib)->UseRealTime();
BENCHMARK(event_moved)->Name("event/moved")->Apply(to_6_mib)->UseRealTime();

}  // namespace
