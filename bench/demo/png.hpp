#pragma once

#include <memory_resource>
#include <stdexcept>
#include <string>
#include <string_view>

#include "demo/picture.hpp"

namespace demo {

/// Says why bytes are not a PNG picture, or what libpng could not do.
class png_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// At most so many pixels are decoded: a few bytes can claim any number.
inline constexpr std::size_t most_pixels = 32'000'000;

/// Throws png_error; also for a file that ends early but after its pixels.
picture decode_png(std::string_view bytes, std::pmr::memory_resource* memory);
std::string encode_png(const picture& drawn);

}  // namespace demo
