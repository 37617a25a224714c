// Question: how long is round_trip.hpp as a blocking typed call of hotplate?
// Unit: ns of wall time a round trip. Left out: as round_trip.hpp says.
#include "compare/round_trip/round_trip.hpp"
#include "hotplate/engine.hpp"

namespace compare {
namespace {

hotplate::engine_config spinning() {
  return {.workers = round_trip::workers,
          .max_concurrency = 1'000'000,
          .spin = round_trip::spin};
}

void typed(benchmark::State& state, bool after_idle) {
  hotplate::engine engine(spinning());
  const auto call = engine.deploy("answer", round_trip::answer);
  round_trip::measure(
      state, [&](int x) { return call(x).value(); }, after_idle);
}
const int added = round_trip::add("hotplate", typed);

}  // namespace
}  // namespace compare
