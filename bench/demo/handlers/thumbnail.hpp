#pragma once

#include <cstddef>

#include "hotplate/context.hpp"

namespace demo {

struct dimensions {
  std::size_t width = 0;
  std::size_t height = 0;
  friend bool operator==(const dimensions&, const dimensions&) = default;
};

/// At most 160 by 160, in the proportions of `whole`; never larger than it.
dimensions thumbnail_size(dimensions whole);

/// Makes a small PNG of a PNG. The pixels live in the arena.
hotplate::payload thumbnail(hotplate::context& ctx, hotplate::payload_view png);

}  // namespace demo
