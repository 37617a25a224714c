// Question: what does submit.hpp cost as invocations of hotplate, each
// admitted, metered and with a deadline, their pendings dropped?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include <cstring>

#include "compare/submit/submit.hpp"
#include "hotplate/engine.hpp"

namespace compare {
namespace {

constexpr std::int64_t out_of_reach = 1'000'000;

hotplate::engine_config limited() {
  return {.workers = submit::workers, .max_concurrency = out_of_reach};
}

void typed(benchmark::State& state) {
  submit::tally done;
  hotplate::engine engine(limited());
  const auto task = engine.deploy(
      "task", [&](std::uint32_t x) { done.add(submit::answer(x)); },
      {.max_concurrency = out_of_reach});
  submit::measure(state, done,
                  [&](std::uint32_t x) { static_cast<void>(task.async(x)); });
}
BENCHMARK(typed)->Name("submit/hotplate")->UseRealTime();

void by_name(benchmark::State& state) {
  submit::tally done;
  hotplate::engine engine(limited());
  engine.deploy("task",
                [&](hotplate::payload_view event) {
                  std::uint32_t x = 0;
                  std::memcpy(&x, event.data(), sizeof x);
                  done.add(submit::answer(x));
                },
                {.max_concurrency = out_of_reach});
  submit::measure(state, done, [&](std::uint32_t x) {
    static_cast<void>(
        engine.invoke_async("task", hotplate::payload_view(&x, sizeof x)));
  });
}
BENCHMARK(by_name)->Name("submit/hotplate_by_name")->UseRealTime();

}  // namespace
}  // namespace compare
