// Question: how long is round_trip.hpp with a queue, a mutex and a thread,
// spinning?
// Unit: ns of wall time a round trip. Left out: as round_trip.hpp says.
#include "compare/round_trip/round_trip.hpp"
#include "compare/support/std_thread_pool.hpp"

namespace compare {
namespace {

void run(benchmark::State& state, bool after_idle) {
  std_thread_pool pool(round_trip::workers, round_trip::spin);
  round_trip::measure_pool(state, pool, after_idle);
}
const int added = round_trip::add("std_thread", run);

}  // namespace
}  // namespace compare
