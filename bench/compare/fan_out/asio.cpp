// Question: what does fan_out.hpp cost with Boost.Asio's thread_pool?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include "compare/fan_out/fan_out.hpp"
#include "compare/support/asio_pool.hpp"

namespace compare {
namespace {

void asio(benchmark::State& state) {
  asio_pool pool(fan_out::workers);
  fan_out::chain(state, pool).measure();
}
BENCHMARK(asio)->Name("fan_out/asio")->UseRealTime();

}  // namespace
}  // namespace compare
