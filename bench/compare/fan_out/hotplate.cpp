// Question: what does fan_out.hpp cost as invoke_all of hotplate, each child
// admitted, metered and with a deadline?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include <chrono>

#include "compare/fan_out/fan_out.hpp"
#include "hotplate/engine.hpp"

namespace compare {
namespace {

constexpr std::int64_t out_of_reach = 1'000'000;

void invoke_all(benchmark::State& state) {
  hotplate::engine engine(
      {.workers = fan_out::workers, .max_concurrency = out_of_reach});
  const auto child = engine.deploy("child", fan_out::answer,
                                   {.max_concurrency = out_of_reach});
  const auto spread = [&](fan_out::round& each) {
    const auto outcomes = child.invoke_all(each.inputs());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      each.answers()[i] = outcomes[i].value();
    }
  };
  const auto parent = engine.deploy(
      "parent",
      [&](benchmark::State* within) { fan_out::measure(*within, spread); },
      {.timeout = std::chrono::seconds(900)});
  if (!parent(&state)) state.SkipWithError("the handler failed");
}
BENCHMARK(invoke_all)->Name("fan_out/hotplate")->UseRealTime();

}  // namespace
}  // namespace compare
