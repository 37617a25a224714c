#include "demo/handlers/word_count.hpp"

#include <algorithm>
#include <memory_resource>
#include <unordered_map>

#include "hotplate/json.hpp"

namespace demo {

namespace {

constexpr std::size_t top_words = 10;

using counts = std::pmr::unordered_map<std::pmr::string, std::size_t>;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::vector<std::pair<std::string, std::size_t>> most_frequent(
    const counts& words, std::pmr::memory_resource* memory) {
  using entry = std::pair<std::string_view, std::size_t>;
  std::pmr::vector<entry> sorted(words.begin(), words.end(), memory);
  const auto kept = std::min(top_words, sorted.size());
  std::partial_sort(
      sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(kept),
      sorted.end(), [](const entry& a, const entry& b) {
        return a.second != b.second ? a.second > b.second : a.first < b.first;
      });
  return {sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(kept)};
}

}  // namespace

word_summary word_count(hotplate::context& ctx, std::string_view text) {
  counts seen(&ctx.arena());
  std::pmr::string word(&ctx.arena());
  word_summary summary;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && is_word_byte(text[i])) {
      word += lower(text[i]);
    } else if (!word.empty()) {
      ++seen[word];
      ++summary.words;
      word.clear();
    }
  }
  summary.top = most_frequent(seen, &ctx.arena());
  return summary;
}

}  // namespace demo

hotplate::payload hotplate::codec<demo::word_summary>::encode(
    const demo::word_summary& value) {
  const nlohmann::json object = {{"words", value.words}, {"top", value.top}};
  // A text need not be UTF-8; JSON has to be.
  return payload(
      object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

demo::word_summary hotplate::codec<demo::word_summary>::decode(
    payload_view bytes) {
  const auto object = codec<nlohmann::json>::decode(bytes);
  demo::word_summary value;
  try {
    object.at("words").get_to(value.words);
    object.at("top").get_to(value.top);
  } catch (const nlohmann::json::exception& why) {
    throw decode_error(why.what());
  }
  return value;
}
