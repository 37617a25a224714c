#include "demo/handlers/thumbnail.hpp"

#include <algorithm>

#include "demo/png.hpp"

namespace demo {

dimensions thumbnail_size(dimensions whole) {
  constexpr std::size_t longest = 160;
  const std::size_t side = std::max({whole.width, whole.height, longest});
  return {std::max<std::size_t>(1, whole.width * longest / side),
          std::max<std::size_t>(1, whole.height * longest / side)};
}

hotplate::payload thumbnail(hotplate::context& ctx,
                            hotplate::payload_view png) {
  const picture whole = decode_png(png.text(), &ctx.arena());
  const dimensions size = thumbnail_size({whole.width, whole.height});
  return encode_png(scale_down(whole, size.width, size.height, &ctx.arena()));
}

}  // namespace demo
