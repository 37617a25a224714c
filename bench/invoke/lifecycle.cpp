// Question: what does it cost to have one's state as it is (reuse), as it was
//   after init (reset), or made anew (new), beside threads and processes?
// Unit: ns of wall time a call; of two threads, over both: halved where that
//   scales.
// Left out: deploying; the handler's own work, one look at 4 KiB of state. The
//   processes start out with the memory of this one, some 10 MB.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <future>
#include <numeric>

#include "inside.hpp"

extern char** environ;

namespace {

using hotplate::start_kind;

/// State that init computes: 1,024 numbers.
struct table {
  table() { std::iota(numbers.begin(), numbers.end(), 1); }
  int operator()(int x) const {
    return numbers[static_cast<std::size_t>(x) % numbers.size()];
  }
  std::array<int, 1'024> numbers{};
};

bool is_right(int answer, int x) { return answer == x % 1'024 + 1; }

/// What is called, by all threads of a benchmark; made by the first.
struct hotplate_side {
  explicit hotplate_side(start_kind start) : expected(start) {
    hotplate::function_config config;
    if (start != start_kind::warm) config.keep_alive = {};
    config.snapshot = start == start_kind::restored;
    target = engine.deploy<table>("table", config);
    (void)engine.invoke_here(target, 0);
  }
  bool call(int x) {
    const auto answer = engine.invoke_here(target, x);
    const start_kind start = answer.usage().start;
    // Of two at once, the second has to make its own instance first.
    return answer && is_right(answer.value(), x) &&
           (start == expected || expected == start_kind::warm);
  }

  start_kind expected;
  hotplate::engine engine{two_workers()};
  hotplate::function<int(int)> target =
      engine.deploy("none", [](int x) { return x; });
};

template <typename Call>
void repeat(benchmark::State& state, const Call& call) {
  int x = 0;
  bool right = true;
  for (auto _ : state) right &= call(++x % 100);
  if (!right) state.SkipWithError("a wrong answer or start");
  state.SetItemsProcessed(state.iterations());
}

template <start_kind Start>
hotplate_side& side() {
  static hotplate_side one(Start);
  return one;
}

template <start_kind Start>
void invoked(benchmark::State& state) {
  hotplate_side& called = side<Start>();
  repeat(state, [&](int x) { return called.call(x); });
}
void reuse(benchmark::State& state) { invoked<start_kind::warm>(state); }
void reset(benchmark::State& state) { invoked<start_kind::restored>(state); }
void make_new(benchmark::State& state) { invoked<start_kind::cold>(state); }

// Floors, each with state made anew but for the first.

void direct(benchmark::State& state) {
  const table own;
  const table* volatile kept = &own;
  repeat(state, [&](int x) { return is_right((*kept)(x), x); });
}

void std_async(benchmark::State& state) {
  repeat(state, [](int x) {
    auto answer = std::async(
        std::launch::async, [](int of) { return table()(of); }, x);
    return is_right(answer.get(), x);
  });
}

// The exit status has room for the answers to 0 to 99.
bool exits_with(pid_t child, int status) {
  int found = -1;
  waitpid(child, &found, 0);
  return WIFEXITED(found) && WEXITSTATUS(found) == status;
}

void forked(benchmark::State& state) {
  repeat(state, [](int x) {
    const pid_t child = fork();
    if (child == 0) _exit(table()(x));
    return exits_with(child, x + 1);
  });
}

// A program that does nothing.
void spawned(benchmark::State& state) {
  repeat(state, [](int) {
    std::array<char, 10> program{"/bin/true"};
    std::array<char*, 2> arguments{program.data(), nullptr};
    pid_t child = 0;
    return posix_spawn(&child, program.data(), nullptr, nullptr,
                       arguments.data(), environ) == 0 &&
           exits_with(child, 0);
  });
}

void one_and_two(benchmark::internal::Benchmark* each) {
  each->Threads(1)->Threads(2)->UseRealTime();
}

BENCHMARK(direct)->Name("lifecycle/direct")->Apply(one_and_two);
BENCHMARK(reuse)->Name("lifecycle/reuse")->Apply(one_and_two);
BENCHMARK(reset)->Name("lifecycle/reset")->Apply(one_and_two);
BENCHMARK(make_new)->Name("lifecycle/new")->Apply(one_and_two);
BENCHMARK(std_async)->Name("lifecycle/std_async")->Apply(one_and_two);
BENCHMARK(forked)->Name("lifecycle/fork")->Apply(one_and_two);
BENCHMARK(spawned)->Name("lifecycle/posix_spawn")->Apply(one_and_two);

}  // namespace
