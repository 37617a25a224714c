// Question: what is the floor of tail.hpp, the generator running the jobs
// itself and the neighbour a thread of its own?
// Unit: ns from arrival to end. Left out: as tail.hpp says.
#include "compare/tail/tail.hpp"

namespace compare {
namespace {

struct same_thread {
  template <typename Task>
  void run(Task task) {
    task();
  }
};

void direct(benchmark::State& state) {
  same_thread on;
  tail::measure(state, on);
}
BENCHMARK(direct)->Name("tail/direct")->Apply(tail::sweep);

}  // namespace
}  // namespace compare
