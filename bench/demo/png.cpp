#include "demo/png.hpp"

#include <png.h>

namespace demo {

namespace {

// libpng's simplified interface: errors are messages, not long jumps.
class png_reader {
 public:
  explicit png_reader(std::string_view bytes) {
    image_.version = PNG_IMAGE_VERSION;
    png_image_begin_read_from_memory(&image_, bytes.data(), bytes.size());
    check();
    image_.format = PNG_FORMAT_RGBA;
  }
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;
  ~png_reader() { png_image_free(&image_); }

  std::size_t width() const { return image_.width; }
  std::size_t height() const { return image_.height; }

  void read(picture& into) {
    png_image_finish_read(&image_, nullptr, into.pixels.data(), 0, nullptr);
    check();
  }

 private:
  void check() const {
    if (PNG_IMAGE_FAILED(image_)) {
      throw png_error(std::string("is no valid PNG: ") + image_.message);
    }
  }

  png_image image_{};
};

std::size_t big_endian(std::string_view four) {
  std::size_t value = 0;
  for (const char c : four) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

// libpng stops reading at the last pixel; this walks on to the end.
void check_whole(std::string_view bytes) {
  constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
  constexpr std::size_t around = 12;  // Length, type and checksum of a chunk.
  if (!bytes.starts_with(signature)) {
    throw png_error("is no PNG: it does not begin with the PNG signature");
  }
  std::size_t at = signature.size();
  for (;;) {
    const std::size_t left = bytes.size() - at;
    if (left < around || big_endian(bytes.substr(at, 4)) > left - around) {
      throw png_error("is truncated: it ends within the chunk at byte " +
                      std::to_string(at));
    }
    if (bytes.substr(at + 4, 4) == "IEND") return;
    at += around + big_endian(bytes.substr(at, 4));
  }
}

}  // namespace

picture decode_png(std::string_view bytes, std::pmr::memory_resource* memory) {
  check_whole(bytes);
  png_reader reader(bytes);
  if (reader.height() > most_pixels / reader.width()) {
    throw png_error("has " + std::to_string(reader.width()) + " x " +
                    std::to_string(reader.height()) + " pixels; at most " +
                    std::to_string(most_pixels) + " in all are decoded");
  }
  picture decoded(reader.width(), reader.height(), memory);
  reader.read(decoded);
  return decoded;
}

std::string encode_png(const picture& drawn) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(drawn.width);
  image.height = static_cast<png_uint_32>(drawn.height);
  image.format = PNG_FORMAT_RGBA;
  std::string bytes;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  bytes.resize(size);
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0,
                                drawn.pixels.data(), 0, nullptr) == 0) {
    throw png_error(std::string("cannot be encoded: ") + image.message);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace demo
