// Question: what does counting usage cost, and each meter that is told of it?
// Unit: ns of wall time of a typed call within a handler. Built twice: the
//   other program's engine has a recorder that does nothing.
// Left out: the clock reads, which deadlines need as well; a meter's own work.
#include <array>

#include "inside.hpp"

namespace {

class counting_meter final : public hotplate::meter {
 public:
  void on_invocation(const hotplate::metered_invocation&) override { ++calls; }
  std::uint64_t calls = 0;  // The benchmark's worker tells it of most.
};

void counted(benchmark::State& state) {
  hotplate::engine engine(two_workers());
  call_nested(engine, state, engine.deploy<increment>("increment"));
  const bool counts = engine.functions()[0].invocations() != 0;
  if (counts != HOTPLATE_METERED) state.SkipWithError("another recorder");
}

#if HOTPLATE_METERED
void with_meters(benchmark::State& state) {
  std::array<counting_meter, 8> meters;
  hotplate::engine engine(two_workers());
  const auto target = engine.deploy<increment>("increment");
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    engine.add_meter(meters[static_cast<std::size_t>(i)]);
  }
  call_nested(engine, state, target);
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    counting_meter& each = meters[static_cast<std::size_t>(i)];
    engine.remove_meter(each);
    if (each.calls < static_cast<std::uint64_t>(state.iterations()))
      state.SkipWithError("a call not told");
  }
}

BENCHMARK(counted)->Name("metering/on")->UseRealTime();
BENCHMARK(with_meters)
    ->Name("meters")
    ->Args({0})
    ->Args({1})
    ->Args({2})
    ->Args({4})
    ->Args({8})
    ->UseRealTime();
#else
BENCHMARK(counted)->Name("metering/none")->UseRealTime();
#endif

}  // namespace
