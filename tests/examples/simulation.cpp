#include <fmt/core.h>
#include <hotplate/hotplate.hpp>

using namespace std::chrono_literals;

int main() {
  // [simulation]
  hotplate::manual_clock clock;  // time that only the host moves
  hotplate::engine engine({.workers = 0, .clock = &clock});
  auto report = engine.deploy(
      "report", [](hotplate::context& ctx) { ctx.sleep_for(1500ms); },
      {.keep_alive = 10min});

  for (auto gap : {0min, 9min, 11min}) {
    engine.run_for(gap);
    auto outcome = report();  // pumps the engine, and steps the clock
    fmt::print("{:4} {} ms\n", to_string(outcome.usage().start),
               outcome.usage().billed().count());
  }
  // [simulation]
}
