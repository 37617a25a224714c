#pragma once

#include <cstdint>
#include <string_view>

#include "hotplate/version.hpp"

// The linker gives every shared object, and the program, one of its own
// (Itanium C++ ABI, 3.3.5), of this name.
extern "C" {
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
extern void* __dso_handle __attribute__((visibility("hidden")));
}

/// Before a function: every shared object calls its own copy, also where the
/// program exports one of the same name. For what is called by a host's code
/// and asks there for this_module().
#define HOTPLATE_OWN_COPY __attribute__((visibility("hidden")))

namespace hotplate::inline HOTPLATE_ABI {

/// Names a shared object, or the program, for as long as it is loaded.
using module_id = const void*;

/// Of the one that the calling code was compiled into: not in inline functions
/// and templates that the linker may take from another one, unless they are
/// hidden and called by code of the one in question.
HOTPLATE_OWN_COPY inline module_id this_module() noexcept {
  return &__dso_handle;
}

namespace detail {

/// Which library a shared object was built with; equal where all layouts are.
/// Plain, and never changed: different builds read each other's.
struct build_stamp {
  std::uint32_t bytes;    // Of the struct that it begins.
  std::uint32_t version;  // 10,000 major + 100 minor + patch.
  const char* abi;
};

HOTPLATE_OWN_COPY constexpr build_stamp this_build(
    std::uint32_t bytes) noexcept {
  return {bytes,
          HOTPLATE_VERSION_MAJOR * 10'000 + HOTPLATE_VERSION_MINOR * 100 +
              HOTPLATE_VERSION_PATCH,
          HOTPLATE_ABI_TEXT};
}

constexpr bool operator==(const build_stamp& a, const build_stamp& b) noexcept {
  return a.bytes == b.bytes && a.version == b.version &&
         std::string_view(a.abi) == b.abi;
}

}  // namespace detail

}  // namespace hotplate::inline HOTPLATE_ABI
