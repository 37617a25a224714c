#include "demo/jobs.hpp"

#include <fmt/core.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "demo/format.hpp"
#include "demo/handlers/compress.hpp"
#include "demo/handlers/thumbnail.hpp"
#include "demo/handlers/word_count.hpp"
#include "demo/png.hpp"

namespace demo {

namespace {

void expect(bool right, const char* function, const std::string& otherwise) {
  if (!right) throw wrong_answer(fmt::format("{}: {}", function, otherwise));
}

// Counted otherwise than the handler does: where words begin.
std::size_t direct_count(std::string_view text) {
  std::size_t words = 0;
  bool inside = false;
  for (const char c : text) {
    words += is_word_byte(c) && !inside ? 1 : 0;
    inside = is_word_byte(c);
  }
  return words;
}

std::size_t direct_count(const std::vector<std::string>& texts) {
  std::size_t words = 0;
  for (const std::string& text : texts) words += direct_count(text);
  return words;
}

std::string most_frequent(const std::vector<word_summary>& all) {
  std::map<std::string, std::size_t> sums;
  for (const word_summary& one : all) {
    for (const auto& [word, count] : one.top) sums[word] += count;
  }
  std::multimap<std::size_t, std::string, std::greater<>> sorted;
  for (const auto& [word, count] : sums) sorted.emplace(count, word);
  std::string text;
  for (const auto& [count, word] : sorted) {
    if (text.size() + word.size() > 36) break;
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

std::vector<std::string_view> events_of(const corpus& texts) {
  return {texts.documents.begin(), texts.documents.end()};
}

dimensions size_of(std::string_view png) {
  const picture decoded = decode_png(png, std::pmr::get_default_resource());
  return {decoded.width, decoded.height};
}

struct order_book {
  nlohmann::json orders = nlohmann::json::array();
  nlohmann::json sums = nlohmann::json::object();
};

order_book draw_orders(std::uint64_t seed, std::size_t count) {
  constexpr const char* customers[] = {"Ada",  "Barbara", "Donald", "Edsger",
                                       "Fran", "Grace",   "Leslie", "Tony"};
  std::mt19937_64 dice(seed);  // The same numbers everywhere.
  order_book drawn;
  std::map<std::string, std::pair<std::uint64_t, int>> sums;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string customer = customers[dice() % std::size(customers)];
    auto& [cents, orders] = sums[customer];
    nlohmann::json items = nlohmann::json::array();
    for (std::uint64_t left = 1 + dice() % 5; left > 0; --left) {
      const std::uint64_t price = 50 + dice() % 10'000;
      const std::uint64_t pieces = 1 + dice() % 9;
      items.push_back({{"cents", price}, {"count", pieces}});
      cents += price * pieces;
    }
    ++orders;
    drawn.orders.push_back({{"customer", customer}, {"items", items}});
  }
  for (const auto& [customer, sum] : sums) {
    drawn.sums[customer] = {{"cents", sum.first}, {"orders", sum.second}};
  }
  return drawn;
}

}  // namespace

job count_words(const corpus& texts) {
  auto answers =
      std::make_shared<std::vector<word_summary>>(texts.documents.size());
  const auto check = [&texts, answers](std::size_t event,
                                       hotplate::payload_view answer) {
    auto counted = hotplate::codec<word_summary>::decode(answer);
    expect(counted.words == direct_count(texts.documents[event]), "word_count",
           "the words of a text counted directly are others");
    (*answers)[event] = std::move(counted);
  };
  const auto summary = [&texts, answers] {
    std::size_t words = 0;
    for (const word_summary& one : *answers) words += one.words;
    expect(words == direct_count(texts.documents), "word_count",
           "the words of all texts counted directly are others");
    const std::string top = most_frequent(*answers);
    return fmt::format(
        "{} words in {} {}, {}{}{}", grouped(words), grouped(texts.files),
        texts.files == 1 ? "file" : "files", bytes_text(texts.bytes),
        top.empty() ? "" : "; most frequent: ", top);
  };
  return {"word_count", events_of(texts), check, summary};
}

job compress_texts(const corpus& texts) {
  auto sizes = std::make_shared<std::vector<std::size_t>>(
      texts.documents.size(), std::size_t{0});
  const auto check = [&texts, sizes](std::size_t event,
                                     hotplate::payload_view answer) {
    const std::string& text = texts.documents[event];
    expect(decompress(answer.text(), text.size()) == text, "compress",
           "its gzip does not unpack to the text");
    (*sizes)[event] = answer.size();
  };
  const auto summary = [&texts, sizes] {
    std::size_t sum = 0;
    for (const std::size_t size : *sizes) sum += size;
    return fmt::format("{} packed to {}, and unpacked again",
                       bytes_text(texts.bytes), bytes_text(sum));
  };
  return {"compress", events_of(texts), check, summary};
}

job make_thumbnails(const std::string& picture) {
  const dimensions whole = size_of(picture);
  const dimensions small = thumbnail_size(whole);
  const auto check = [small](std::size_t, hotplate::payload_view answer) {
    expect(size_of(answer.text()) == small, "thumbnail",
           "the thumbnail has another size");
  };
  const auto summary = [whole, small] {
    return fmt::format("a PNG of {} x {} pixels scaled to {} x {}", whole.width,
                       whole.height, small.width, small.height);
  };
  return {"thumbnail", {picture}, check, summary};
}

job sum_orders(std::uint64_t seed) {
  const std::size_t count = 500;
  const order_book drawn = draw_orders(seed, count);
  const auto event = std::make_shared<const std::string>(drawn.orders.dump());
  const auto check = [event, sums = drawn.sums](std::size_t,
                                                hotplate::payload_view answer) {
    expect(nlohmann::json::parse(answer.text()) == sums, "transform",
           "the sums taken directly are others");
  };
  const auto summary = [count, customers = drawn.sums.size()] {
    return fmt::format("{} orders as JSON summed for {} customers", count,
                       customers);
  };
  return {"transform", {*event}, check, summary};
}

job run_pipeline(const corpus& texts) {
  const auto check = [&texts](std::size_t event,
                              hotplate::payload_view answer) {
    const auto made = nlohmann::json::parse(answer.text());
    const std::string& text = texts.documents[event];
    expect(made.at("words") == direct_count(text) &&
               made.at("bytes") == text.size() && made.at("gzip_bytes") > 0,
           "pipeline", "what it gathered from others is not right");
  };
  const auto summary = [] {
    return std::string("each text counted and packed by the two functions");
  };
  return {"pipeline", events_of(texts), check, summary};
}

}  // namespace demo
