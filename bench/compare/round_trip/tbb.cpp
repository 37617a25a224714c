// Question: how long is round_trip.hpp with oneTBB, whose workers spin as long
// as they see fit?
// Unit: ns of wall time a round trip. Left out: as round_trip.hpp says.
#include "compare/round_trip/round_trip.hpp"
#include "compare/support/tbb_pool.hpp"

namespace compare {
namespace {

void run(benchmark::State& state, bool after_idle) {
  tbb_pool pool(round_trip::workers);
  round_trip::measure_pool(state, pool, after_idle);
}
const int added = round_trip::add("tbb", run);

}  // namespace
}  // namespace compare
