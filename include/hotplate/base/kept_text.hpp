#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A copy of a text, without the heap: of what is longer, its first `Longest`
/// bytes.
template <std::size_t Longest>
class kept_text {
 public:
  kept_text() noexcept = default;
  kept_text(std::string_view whole) noexcept : given_(whole.size()) {
    // Of nothing, data() may be null.
    if (given_ > 0) std::memcpy(bytes_.data(), whole.data(), size());
  }

  operator std::string_view() const noexcept { return {bytes_.data(), size()}; }
  std::size_t size() const noexcept {
    return given_ < Longest ? given_ : Longest;
  }
  /// How long it was before it was cut.
  std::size_t given() const noexcept { return given_; }

 private:
  std::size_t given_ = 0;
  std::array<char, Longest> bytes_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
