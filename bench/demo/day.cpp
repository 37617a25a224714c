#include "demo/day.hpp"

#include <cstdio>
#include <utility>

#include "demo/progress.hpp"
#include "trace/generate_trace.hpp"
#include "trace/read_trace.hpp"

namespace demo {

trace::day load_day(const options& chosen) {
  if (chosen.trace.empty()) return trace::generate_trace(chosen.seed);
  trace::day read = trace::read_trace(chosen.trace);
  for (const std::string& warning : read.warnings) {
    std::fprintf(stderr, "%s\n", warning.c_str());
  }
  return read;
}

day_result run_day(trace::day traffic, const options& chosen) {
  hotplate::ledger ledger(hotplate::price_books::all());
  progress shown("replaying a day");
  day_result result;
  result.source = chosen.trace.empty()
                      ? "generated, seed " + std::to_string(chosen.seed)
                      : chosen.trace.string();
  result.traffic = std::move(traffic);
  result.replayed = trace::replay(
      result.traffic, {.keep_alive = chosen.keep_alive,
                       .ignore_durations = chosen.ignore_durations,
                       .seed = chosen.seed,
                       .meters = {&ledger},
                       .progress = [&](double share) { shown.show(share); }});
  result.bills = ledger.bills();
  result.full_bills = ledger.bills(false);
  return result;
}

}  // namespace demo
