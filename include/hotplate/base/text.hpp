#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>

#include "hotplate/base/decimal.hpp"
#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Part of a sentence: words, or a whole number.
class part {
 public:
  part(std::string_view words) noexcept : words_(words) {}
  part(const std::string& words) noexcept : words_(words) {}
  part(const char* words) noexcept : words_(words) {}
  template <std::integral Number>
  part(Number number) noexcept : number_(number), words_(number_.text()) {}
  part(const part&) = delete;
  part& operator=(const part&) = delete;

  std::string_view words() const noexcept { return words_; }

 private:
  decimal number_{0};
  std::string_view words_;
};

/// The parts in one piece. Not fmt::format: checking some twenty formats costs
/// every file that includes hotplate 0.2 s of its compile time.
/// Where memory is out, what takes none: those who are told so say it.
inline std::string sentence(std::initializer_list<part> parts) noexcept try {
  std::string whole;
  for (const part& each : parts) whole += each.words();
  return whole;
} catch (const std::bad_alloc&) {
  return "(no memory)";
}

/// A host's text for a sentence: what nobody could read as \xNN, and of a long
/// one the beginning.
inline std::string shown(std::string_view text) noexcept try {
  constexpr std::size_t most = 80;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string readable;
  for (const char each : text.substr(0, most)) {
    const auto code = static_cast<unsigned char>(each);
    if (code >= ' ' && code <= '~') {
      readable += each;
    } else {
      readable += {'\\', 'x', digits[code / 16], digits[code % 16]};
    }
  }
  return text.size() > most ? readable + "..." : readable;
} catch (const std::bad_alloc&) {
  return "(no memory)";
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
