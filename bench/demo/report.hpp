#pragma once

#include <string>

#include "demo/day.hpp"
#include "demo/scenario.hpp"

namespace demo {

/// Reports for people, at most 100 columns wide.
std::string report(const work_result& work);
std::string report(const day_result& day, const options& chosen);

}  // namespace demo
