#pragma once

#include <zlib.h>

#include <string>
#include <string_view>
#include <vector>

#include "hotplate/payload.hpp"

namespace demo {

/// Compresses an event to gzip. An instance owns zlib's stream and a buffer:
/// the cold start pays for their some 300 KB, warm invocations reset them.
class compress {
 public:
  compress();
  compress(const compress&) = delete;
  compress& operator=(const compress&) = delete;
  ~compress();

  hotplate::payload operator()(hotplate::payload_view event);

 private:
  z_stream stream_{};
  std::vector<unsigned char> compressed_;
};

/// The reverse, for checking. Throws std::runtime_error.
std::string decompress(std::string_view gzip, std::size_t size);

}  // namespace demo
