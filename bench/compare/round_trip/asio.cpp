// Question: how long is round_trip.hpp with Boost.Asio's thread_pool, which
// does not spin?
// Unit: ns of wall time a round trip. Left out: as round_trip.hpp says.
#include "compare/round_trip/round_trip.hpp"
#include "compare/support/asio_pool.hpp"

namespace compare {
namespace {

void run(benchmark::State& state, bool after_idle) {
  asio_pool pool(round_trip::workers);
  round_trip::measure_pool(state, pool, after_idle);
}
const int added = round_trip::add("asio", run);

}  // namespace
}  // namespace compare
