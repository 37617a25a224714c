#pragma once

#include <cxxabi.h>

#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A type's name as in the source.
inline std::string demangled(const char* name) {
  int status = 0;
  struct text {
    ~text() { std::free(begin); }
    char* const begin;
  } const readable{abi::__cxa_demangle(name, nullptr, nullptr, &status)};
  return status == 0 ? readable.begin : name;
}

/// A signature for people: "int (std::string)".
inline std::string readable(const std::string& signature) noexcept try {
  struct long_name {
    std::string_view whole;
    std::string_view usual;
  };
  // In this order: the second is what remains of the first.
  constexpr long_name long_names[] = {
      {"std::__cxx11::", "std::"},
      {"std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
       "std::string"},
      {"std::basic_string_view<char, std::char_traits<char> >",
       "std::string_view"},
      {"hotplate::" HOTPLATE_ABI_TEXT "::", "hotplate::"}};
  std::string text = demangled(signature.c_str());
  for (const auto& [whole, usual] : long_names) {
    for (std::size_t at = text.find(whole); at != std::string::npos;
         at = text.find(whole, at + usual.size())) {
      text.replace(at, whole.size(), usual);
    }
  }
  return text;
} catch (const std::bad_alloc&) {
  return "(no memory)";
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
