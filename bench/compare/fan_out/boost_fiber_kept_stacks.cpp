// Question: what does fan_out.hpp cost with Boost.Fiber if malloc keeps stacks?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include "compare/fan_out/fibers.hpp"

namespace compare {
namespace {

BENCHMARK(fan_out::start_fibers)
    ->Name("fan_out/boost_fiber_kept_stacks")
    ->UseRealTime();

}  // namespace
}  // namespace compare

int main(int count, char** arguments) {
  using namespace compare;
  return fan_out::run(stacks::kept, count, arguments);
}
