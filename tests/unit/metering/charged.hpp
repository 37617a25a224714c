#pragma once

#include <chrono>

#include "hotplate/billing.hpp"

// What the tests of bills charge for.

inline hotplate::usage used(
    std::uint32_t memory_mib, std::chrono::nanoseconds duration,
    std::chrono::nanoseconds init = std::chrono::nanoseconds(0)) {
  hotplate::usage one;
  one.memory_mib = memory_mib;
  one.start = init.count() == 0 ? hotplate::start_kind::warm
                                : hotplate::start_kind::cold;
  one.duration = duration;
  one.init = init;
  return one;
}

inline hotplate::billed_amount times(std::uint64_t count,
                                     const hotplate::billed_amount& one) {
  return {one.requests * count, one.mib_ms * count, one.mhz_ms * count,
          one.reserved_mib_ms * count, one.provisioned_mib_ms * count};
}
