#pragma once

#include <cstdint>

#include "trace/trace.hpp"

namespace trace {

/// A day with the marginals of the 860-function sample of the Azure Functions
/// trace 2019: 47 % of the functions run at most once an hour, 91 % at most
/// once a minute, about 468,175 invocations in all, median duration 393 ms,
/// median memory 143 MB, the tails heavy. A third of them tick like timers, the
/// others come in bursts and follow the time of day. The same seed gives the
/// same day.
day generate_trace(std::uint64_t seed);

}  // namespace trace
