#pragma once

#include <cstdint>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// A version and its share of an alias's invocations. An alias points at one
/// version, or at two whose weights add up to 1: {{3, 0.9}, {4, 0.1}}.
struct weighted_version {
  std::uint32_t version = 0;
  double weight = 1;  ///< 0 to 1.
};

}  // namespace hotplate::inline HOTPLATE_ABI
