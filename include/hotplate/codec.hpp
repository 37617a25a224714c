#pragma once

#include <charconv>
#include <concepts>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "hotplate/base/decimal.hpp"
#include "hotplate/payload.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Thrown by a codec that cannot read its bytes; the caller gets `bad_event`.
class decode_error : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

/// How a T travels as bytes. Specialise it for your own types:
///   static payload encode(T value);
///   static T decode(payload_view bytes);   // throws decode_error
template <typename T>
struct codec;

template <typename T>
concept encodable = requires(T value) {
  { codec<T>::encode(std::move(value)) } -> std::same_as<payload>;
};

template <typename T>
concept decodable = requires(payload_view bytes) {
  { codec<T>::decode(bytes) } -> std::convertible_to<T>;
};

/// Bytes are themselves.
template <>
struct codec<payload> {
  static payload encode(payload value) { return value; }
  static payload decode(payload_view bytes) { return payload(bytes); }
};

/// Decodes to a view of the event itself, which lives as long as the handler.
template <>
struct codec<payload_view> {
  static payload_view decode(payload_view bytes) { return bytes; }
};

template <>
struct codec<std::vector<std::byte>> {
  static payload encode(std::vector<std::byte> value) {
    return payload(std::move(value));
  }
  static std::vector<std::byte> decode(payload_view bytes) {
    return {bytes.bytes().begin(), bytes.bytes().end()};
  }
};

template <>
struct codec<std::string> {
  static payload encode(std::string value) { return payload(std::move(value)); }
  static std::string decode(payload_view bytes) {
    return std::string(bytes.text());
  }
};

/// Decodes to a view of the event itself, which lives as long as the handler.
template <>
struct codec<std::string_view> {
  static std::string_view decode(payload_view bytes) { return bytes.text(); }
};

template <>
struct codec<bool> {
  static payload encode(bool value) {
    return payload(std::string(value ? "true" : "false"));
  }
  static bool decode(payload_view bytes) {
    if (bytes.text() == "true") return true;
    if (bytes.text() == "false") return false;
    throw decode_error("expected true or false");
  }
};

/// Numbers are decimal text, as in JSON; what JSON has no word for is inf or
/// nan.
template <typename Number>
requires std::is_arithmetic_v<Number>
struct codec<Number> {
  static payload encode(Number value) {
    if constexpr (std::is_integral_v<Number>) {
      return payload(std::string(detail::decimal(value).text()));
    } else {
      char digits[64];
      const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
      return payload(std::string(digits, end));
    }
  }

  static Number decode(payload_view bytes) {
    Number value{};
    const detail::decimal_fault fault = read(bytes.text(), value);
    if (fault == detail::decimal_fault::out_of_range) {
      throw decode_error("the number is out of range");
    }
    if (fault == detail::decimal_fault::no_number) {
      throw decode_error("expected a number");
    }
    return value;
  }

 private:
  static detail::decimal_fault read(std::string_view text,
                                    Number& into) noexcept {
    if constexpr (std::is_integral_v<Number>) {
      return detail::read_decimal(text, into);
    } else {
      const char* const end = text.data() + text.size();
      const auto seen = std::from_chars(text.data(), end, into);
      if (seen.ec == std::errc::result_out_of_range) {
        return detail::decimal_fault::out_of_range;
      }
      const bool all = seen.ec == std::errc{} && seen.ptr == end;
      return all ? detail::decimal_fault::none
                 : detail::decimal_fault::no_number;
    }
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
