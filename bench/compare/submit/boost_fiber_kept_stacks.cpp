// Question: what does a fiber a task cost in submit.hpp if malloc keeps stacks?
// Unit: ns of wall time a task. Left out: as submit.hpp says.
#include "compare/submit/fibers.hpp"

namespace compare {
namespace {

BENCHMARK(submit::start_fibers)
    ->Name("submit/boost_fiber_kept_stacks")
    ->UseRealTime();

}  // namespace
}  // namespace compare

int main(int count, char** arguments) {
  using namespace compare;
  return submit::run(stacks::kept, count, arguments);
}
