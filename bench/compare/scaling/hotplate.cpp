// Question: how do nested calls of hotplate scale in scaling.hpp, warm and
// cold, with limits that are counted, if not reached?
// Unit: ns of wall time a call. Left out: as scaling.hpp says.
#include <chrono>
#include <string>

#include "compare/scaling/scaling.hpp"
#include "hotplate/engine.hpp"

namespace compare {
namespace {

constexpr std::int64_t out_of_reach = 1'000'000;

// A class, so that a cold start has an instance to make.
struct child {
  int operator()(int x) const { return scaling::answer(x); }
};

hotplate::function_config limited(std::chrono::milliseconds keep_alive) {
  return {.timeout = std::chrono::seconds(900),
          .max_concurrency = out_of_reach,
          .keep_alive = keep_alive};
}

/// One engine for all threads of a benchmark. Each calls its parent, which
/// stays on a worker of its own and makes the nested calls there.
class both_workers {
 public:
  explicit both_workers(std::chrono::milliseconds keep_alive)
      : child_(engine_.deploy<child>("child", limited(keep_alive))),
        parent_(engine_.deploy(
            "parent",
            [this](benchmark::State* state) {
              scaling::measure(*state,
                               [this](int x) { return child_(x).value(); });
            },
            limited(keep_alive))) {}

  void run(benchmark::State& state) {
    if (!parent_(&state)) state.SkipWithError("a handler failed");
  }

 private:
  hotplate::engine engine_{
      {.workers = scaling::workers, .max_concurrency = out_of_reach}};
  hotplate::function<int(int)> child_;
  hotplate::function<void(benchmark::State*)> parent_;
};

void warm(benchmark::State& state) {
  static both_workers here(std::chrono::minutes(10));
  here.run(state);
}
BENCHMARK(warm)->Name("scaling/hotplate_warm")->Apply(scaling::sweep);

void cold(benchmark::State& state) {
  static both_workers here(std::chrono::milliseconds(0));
  here.run(state);
}
BENCHMARK(cold)->Name("scaling/hotplate_cold")->Apply(scaling::sweep);

}  // namespace
}  // namespace compare
