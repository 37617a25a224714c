#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "demo/notable.hpp"
#include "hotplate/billing.hpp"
#include "hotplate/error.hpp"
#include "hotplate/stats.hpp"

namespace demo {

std::string heading(const std::string& title);

/// As AWS Lambda logs the end of an invocation.
std::string report_lines(const notable_invocation& one);

/// Starts, times, memory of each function.
std::string function_table(const std::vector<hotplate::function_stats>& all);

/// How much longer a cold start makes the first answer.
std::string cold_chart(const std::vector<hotplate::function_stats>& all);

/// "timed_out 2, throttled 1"; empty if all ended well.
std::string error_kinds(
    const std::array<std::uint64_t, hotplate::errc_count>& by_code);

/// Only the functions that had any.
std::string error_table(const std::vector<hotplate::function_stats>& all);

std::string bill_table(const std::vector<hotplate::bill>& bills,
                       const std::vector<hotplate::bill>& full);

}  // namespace demo
