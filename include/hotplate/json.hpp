#pragma once

// Optional: needs nlohmann-json; link hotplate::json.
#include <nlohmann/json.hpp>
#include <string>
#include <tuple>
#include <utility>

#include "hotplate/codec.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// JSON text. What does not parse is a decode_error, with its position.
template <>
struct codec<nlohmann::json> {
  static payload encode(const nlohmann::json& value) {
    return payload(value.dump());
  }
  static nlohmann::json decode(payload_view bytes) {
    try {
      return nlohmann::json::parse(bytes.text());
    } catch (const nlohmann::json::exception& why) {
      throw decode_error(why.what());
    }
  }
};

namespace detail {

/// A view would point into the parsed document, which ends before the handler
/// begins.
template <typename T>
concept json_element = !is_view<T> && requires(const nlohmann::json& value) {
  { value.template get<T>() } -> std::convertible_to<T>;
};

}  // namespace detail

/// Several parameters are one JSON array of as many elements, none of them a
/// view. (A handler called by name must be deployed with this header included
/// in every file that deploys it, or in none.)
template <typename... Args>
requires(sizeof...(Args) > 1 && (detail::json_element<Args> &&
                                 ...)) struct codec<std::tuple<Args...>> {
  static std::tuple<Args...> decode(payload_view bytes) {
    const nlohmann::json array = codec<nlohmann::json>::decode(bytes);
    if (!array.is_array() || array.size() != sizeof...(Args)) {
      throw decode_error("expected a JSON array of " +
                         std::string(detail::decimal(sizeof...(Args)).text()) +
                         " elements");
    }
    return elements(array, std::index_sequence_for<Args...>());
  }

 private:
  template <std::size_t... I>
  static std::tuple<Args...> elements(const nlohmann::json& array,
                                      std::index_sequence<I...>) {
    try {
      return {array[I].template get<Args>()...};
    } catch (const nlohmann::json::exception& why) {
      throw decode_error(why.what());
    }
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
