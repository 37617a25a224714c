#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string_view>

#include "hotplate/version.hpp"

// Not std::to_chars and std::from_chars of whole numbers: tables in their
// inline functions are STB_GNU_UNIQUE symbols, which keep a shared object that
// g++ has built loaded for ever.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A whole number's digits.
class decimal {
 public:
  template <std::integral Number>
  explicit decimal(Number number) noexcept {
    bool negative = false;
    if constexpr (std::signed_integral<Number>) negative = number < 0;
    // Of a negative one its magnitude, which may be one too large for Number.
    auto left = static_cast<std::uint64_t>(number);
    if (negative) left = 0 - left;
    do {
      *--first_ = static_cast<char>('0' + left % 10);
    } while ((left /= 10) != 0);
    if (negative) *--first_ = '-';
  }
  decimal(const decimal&) = delete;
  decimal& operator=(const decimal&) = delete;

  std::string_view text() const noexcept {
    return {first_,
            static_cast<std::size_t>(digits_ + sizeof digits_ - first_)};
  }

 private:
  char digits_[20];
  char* first_ = digits_ + sizeof digits_;
};

enum class decimal_fault : std::uint8_t { none, no_number, out_of_range };

/// Reads all of `text`, digits after a minus at most.
template <std::integral Number>
decimal_fault read_decimal(std::string_view text, Number& into) noexcept {
  const bool negative = std::signed_integral<Number> && text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.empty()) return decimal_fault::no_number;
  constexpr auto most =
      static_cast<std::uint64_t>(std::numeric_limits<Number>::max());
  const std::uint64_t limit = most + (negative ? 1 : 0);
  std::uint64_t value = 0;
  bool fits = true;
  for (const char each : text) {
    if (each < '0' || each > '9') return decimal_fault::no_number;
    const auto digit = static_cast<std::uint64_t>(each - '0');
    fits = fits && value <= (limit - digit) / 10;
    value = value * 10 + digit;
  }
  if (!fits) return decimal_fault::out_of_range;
  into = static_cast<Number>(negative ? 0 - value : value);
  return decimal_fault::none;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
