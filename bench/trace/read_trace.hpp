#pragma once

#include <filesystem>

#include "trace/csv.hpp"
#include "trace/trace.hpp"

namespace trace {

/// Reads a day in the format of the Azure Functions trace 2019 from the files
/// invocations.csv, durations.csv and memory.csv of a folder.
/// Errors: throws trace_error, naming file, line and column.
day read_trace(const std::filesystem::path& folder);

}  // namespace trace
