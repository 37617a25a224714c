#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotplate/codec.hpp"
#include "hotplate/context.hpp"

namespace demo {

struct word_summary {
  std::size_t words = 0;
  /// The most frequent ones and how often, most frequent first.
  std::vector<std::pair<std::string, std::size_t>> top;
};

/// Letters, digits and whatever is not ASCII make words.
constexpr bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

/// Counts the words of a text. Its table lives in the arena.
word_summary word_count(hotplate::context& ctx, std::string_view text);

}  // namespace demo

/// As JSON: {"words": 12, "top": [["the", 3], ...]}.
template <>
struct hotplate::codec<demo::word_summary> {
  static payload encode(const demo::word_summary& value);
  static demo::word_summary decode(payload_view bytes);
};
