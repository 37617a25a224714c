#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Part of a sentence: words, or a whole number.
class part {
 public:
  part(std::string_view words) noexcept : words_(words) {}
  part(const std::string& words) noexcept : words_(words) {}
  part(const char* words) noexcept : words_(words) {}
  template <std::integral Number>
  part(Number number) : number_(std::to_string(number)), words_(number_) {}
  part(const part&) = delete;
  part& operator=(const part&) = delete;

  std::string_view words() const noexcept { return words_; }

 private:
  std::string number_;
  std::string_view words_;
};

/// The parts in one piece. Not fmt::format: checking some twenty formats costs
/// every file that includes hotplate 0.2 s of its compile time.
inline std::string sentence(std::initializer_list<part> parts) {
  std::string whole;
  for (const part& each : parts) whole += each.words();
  return whole;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
