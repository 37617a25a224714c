#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "demo/input.hpp"
#include "demo/notable.hpp"
#include "demo/options.hpp"
#include "hotplate/billing.hpp"
#include "hotplate/stats.hpp"

namespace demo {

/// What the handlers work on.
struct work_input {
  corpus texts;
  std::string picture;  ///< A PNG.
};

/// What came of the handlers' part.
struct work_result {
  std::vector<std::pair<std::string, std::string>> done;  ///< Function, what.
  std::vector<notable_invocation> notable;
  std::vector<hotplate::function_stats> functions;
  hotplate::engine_stats engine;
  std::vector<hotplate::bill> bills;       ///< As if alone in the free tier.
  std::vector<hotplate::bill> full_bills;  ///< As if that were used up.
  int workers = 0;
  std::chrono::nanoseconds wall{0};
};

/// Deploys the functions in an engine of their own, invokes each cold, warm and
/// many at once, and checks every answer. Throws wrong_answer.
work_result run_work(const work_input& input, const options& chosen);

}  // namespace demo
