#pragma once

#include <optional>
#include <string>

#include "demo/day.hpp"
#include "demo/scenario.hpp"

namespace demo {

/// One JSON object, for programs; ends in a line end.
std::string json_report(const work_result& work,
                        const std::optional<day_result>& day,
                        const options& chosen);

}  // namespace demo
