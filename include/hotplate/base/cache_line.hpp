#pragma once

#include <cstddef>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

// Not std::hardware_destructive_interference_size: its value may differ
// between objects built with different -mtune, and it is part of our layout.
inline constexpr std::size_t cache_line = 64;

}  // namespace hotplate::inline HOTPLATE_ABI::detail
