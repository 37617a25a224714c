#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

namespace demo {

/// Red, green, blue and alpha of each pixel, row by row from the top.
struct picture {
  static constexpr std::size_t channels = 4;

  std::size_t width = 0;
  std::size_t height = 0;
  std::pmr::vector<std::uint8_t> pixels;

  picture(std::size_t w, std::size_t h, std::pmr::memory_resource* memory)
      : width(w), height(h), pixels(w * h * channels, memory) {}

  std::uint8_t* at(std::size_t x, std::size_t y) {
    return &pixels[(y * width + x) * channels];
  }
  const std::uint8_t* at(std::size_t x, std::size_t y) const {
    return &pixels[(y * width + x) * channels];
  }
};

/// A gradient with a disc and a striped square in front of it.
picture draw_picture(std::size_t width, std::size_t height);

/// Each pixel is the mean of those that it covers. `width` and `height` are at
/// least 1 and not beyond the original's.
picture scale_down(const picture& original, std::size_t width,
                   std::size_t height, std::pmr::memory_resource* memory);

}  // namespace demo
