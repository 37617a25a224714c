// Question: how long is round_trip.hpp with Boost.Fiber, its worker as the
// library has it, asleep when idle, and one that looks into the channel first?
// Unit: ns of wall time a round trip. Left out: as round_trip.hpp says.
#include "compare/round_trip/round_trip.hpp"
#include "compare/support/fiber_pools.hpp"

namespace compare {
namespace {

void sleeping(benchmark::State& state, bool after_idle) {
  channel_fibers pool(round_trip::workers);
  round_trip::measure_pool(state, pool, after_idle);
}
const int added = round_trip::add("boost_fiber", sleeping);

void spinning(benchmark::State& state, bool after_idle) {
  channel_fibers pool(round_trip::workers, round_trip::spin);
  round_trip::measure_pool(state, pool, after_idle);
}
const int added_spinning = round_trip::add("boost_fiber_spinning", spinning);

}  // namespace
}  // namespace compare
