// Question: how late are the jobs of tail.hpp as invocations of hotplate, with
// another function of the engine as neighbour?
// Unit: ns from arrival to end. Left out: as tail.hpp says.
#include "compare/tail/tail.hpp"
#include "hotplate/engine.hpp"

namespace compare {
namespace {

constexpr std::int64_t out_of_reach = 1'000'000;

class two_functions {
 public:
  void run(tail::job one) { static_cast<void>(jobs_.async(one)); }
  void run(tail::long_job one) { static_cast<void>(long_jobs_.async(one)); }

 private:
  hotplate::engine engine_{
      {.workers = tail::workers, .max_concurrency = out_of_reach}};
  hotplate::function<void(tail::job)> jobs_ = engine_.deploy(
      "job", [](tail::job one) { one(); }, {.max_concurrency = out_of_reach});
  hotplate::function<void(tail::long_job)> long_jobs_ =
      engine_.deploy("long_job", [](tail::long_job one) { one(); });
};

void hotplate_engine(benchmark::State& state) {
  two_functions engine;
  tail::measure(state, engine);
}
BENCHMARK(hotplate_engine)->Name("tail/hotplate")->Apply(tail::sweep);

}  // namespace
}  // namespace compare
