#pragma once

#include <string>
#include <vector>

#include "demo/options.hpp"
#include "hotplate/billing.hpp"
#include "trace/replay.hpp"
#include "trace/trace.hpp"

namespace demo {

/// What came of the day of traffic.
struct day_result {
  std::string source;
  trace::day traffic;
  trace::replay_result replayed;
  std::vector<hotplate::bill> bills;       ///< As if alone in the free tier.
  std::vector<hotplate::bill> full_bills;  ///< As if that were used up.
};

/// Reads or generates it. Throws trace::trace_error.
trace::day load_day(const options& chosen);

/// Replays it through an engine of its own on simulated time.
day_result run_day(trace::day traffic, const options& chosen);

}  // namespace demo
