#include "demo/handlers/compress.hpp"

#include <stdexcept>

namespace demo {

namespace {

constexpr int gzip_window = 15 + 16;  // The largest; 16 asks for gzip.
constexpr int memory_level = 8;       // zlib's default.

// zlib takes input through a pointer to what it will not change.
Bytef* input(const void* data) {
  return static_cast<Bytef*>(const_cast<void*>(data));
}

}  // namespace

compress::compress() {
  if (deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window,
                   memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
}

compress::~compress() { deflateEnd(&stream_); }

hotplate::payload compress::operator()(hotplate::payload_view event) {
  if (deflateReset(&stream_) != Z_OK) {
    throw std::runtime_error("zlib cannot start again");
  }
  const auto bound = deflateBound(&stream_, event.size());
  if (compressed_.size() < bound) compressed_.resize(bound);
  stream_.next_in = input(event.data());
  stream_.avail_in = static_cast<uInt>(event.size());
  stream_.next_out = compressed_.data();
  stream_.avail_out = static_cast<uInt>(compressed_.size());
  if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) {
    throw std::runtime_error("zlib cannot compress this");
  }
  return hotplate::payload(
      hotplate::payload_view(compressed_.data(), stream_.total_out));
}

std::string decompress(std::string_view gzip, std::size_t size) {
  // One byte more than expected, to see what is too long.
  std::string text(size + 1, '\0');
  z_stream stream{};
  stream.next_in = input(gzip.data());
  stream.avail_in = static_cast<uInt>(gzip.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  if (inflateInit2(&stream, gzip_window) != Z_OK) {
    throw std::runtime_error("zlib cannot start");
  }
  const int ended = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (ended != Z_STREAM_END) throw std::runtime_error("is no whole gzip");
  text.resize(stream.total_out);
  return text;
}

}  // namespace demo
