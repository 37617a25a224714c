// Question: what does fan_out.hpp cost with Boost.Fiber, a fiber a child?
// Unit: ns of wall time a child. Left out: as fan_out.hpp says.
#include "compare/fan_out/fan_out.hpp"
#include "compare/support/fiber_pools.hpp"

namespace compare {
namespace {

void stealing(benchmark::State& state) {
  fan_out::measure(state, [](fan_out::round& each) {
    std::vector<boost::fibers::fiber> children;
    children.reserve(fan_out::children);
    for (int i = 0; i < fan_out::children; ++i) {
      children.emplace_back(boost::fibers::launch::post,
                            [&each, i] { each.run_child(i); });
    }
    for (boost::fibers::fiber& child : children) child.join();
  });
}
BENCHMARK(stealing)->Name("fan_out/boost_fiber")->UseRealTime();

}  // namespace
}  // namespace compare

int main(int count, char** arguments) {
  return compare::run_with_stealing_fibers(compare::fan_out::workers, count,
                                           arguments);
}
