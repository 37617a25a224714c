#include "demo/picture.hpp"

#include <algorithm>

namespace demo {

namespace {

std::uint8_t shade(std::size_t part, std::size_t whole) {
  return static_cast<std::uint8_t>(255 * part / whole);
}

void put(picture& on, std::size_t x, std::size_t y, std::uint8_t red,
         std::uint8_t green, std::uint8_t blue) {
  std::uint8_t* const pixel = on.at(x, y);
  pixel[0] = red;
  pixel[1] = green;
  pixel[2] = blue;
  pixel[3] = 255;
}

bool in_disc(const picture& on, std::size_t x, std::size_t y) {
  const auto from = [](std::size_t a, std::size_t b) {
    return a > b ? a - b : b - a;
  };
  const std::size_t dx = from(x, on.width / 3);
  const std::size_t dy = from(y, on.height / 2);
  const std::size_t radius = on.height / 4;
  return dx * dx + dy * dy < radius * radius;
}

bool in_square(const picture& on, std::size_t x, std::size_t y) {
  return x > on.width * 3 / 5 && x < on.width * 9 / 10 && y > on.height / 5 &&
         y < on.height * 3 / 5;
}

// The mean over columns [x0, x1) and rows [y0, y1).
void average(const picture& from, std::size_t x0, std::size_t x1,
             std::size_t y0, std::size_t y1, std::uint8_t* into) {
  std::uint64_t sums[picture::channels] = {};
  for (std::size_t y = y0; y < y1; ++y) {
    const std::uint8_t* pixel = from.at(x0, y);
    for (std::size_t x = x0; x < x1; ++x) {
      for (std::uint64_t& sum : sums) sum += *pixel++;
    }
  }
  const std::uint64_t count = (x1 - x0) * (y1 - y0);
  for (const std::uint64_t sum : sums) {
    *into++ = static_cast<std::uint8_t>((sum + count / 2) / count);
  }
}

}  // namespace

picture draw_picture(std::size_t width, std::size_t height) {
  picture drawn(width, height, std::pmr::get_default_resource());
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      if (in_disc(drawn, x, y)) {
        put(drawn, x, y, 250, 200, 40);
      } else if (in_square(drawn, x, y) && (x + y) / 16 % 2 == 0) {
        put(drawn, x, y, 200, 30, 60);
      } else {
        put(drawn, x, y, shade(x, width), shade(y, height), 160);
      }
    }
  }
  return drawn;
}

picture scale_down(const picture& original, std::size_t width,
                   std::size_t height, std::pmr::memory_resource* memory) {
  picture scaled(width, height, memory);
  for (std::size_t y = 0; y < height; ++y) {
    const std::size_t y0 = y * original.height / height;
    const std::size_t y1 = (y + 1) * original.height / height;
    for (std::size_t x = 0; x < width; ++x) {
      const std::size_t x0 = x * original.width / width;
      const std::size_t x1 = (x + 1) * original.width / width;
      average(original, x0, x1, y0, y1, scaled.at(x, y));
    }
  }
  return scaled;
}

}  // namespace demo
