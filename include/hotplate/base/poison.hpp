#pragma once

#include <cstddef>
#include <cstring>

#include "hotplate/base/assert.hpp"

#if defined(HOTPLATE_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Under AddressSanitizer, touching poisoned memory is reported.
inline void poison([[maybe_unused]] const void* start,
                   [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(HOTPLATE_ASAN)
  ASAN_POISON_MEMORY_REGION(start, bytes);
#endif
}

inline void unpoison([[maybe_unused]] const void* start,
                     [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(HOTPLATE_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(start, bytes);
#endif
}

/// With zeros, poisoned or not.
inline void overwrite(std::byte* start, const std::byte* end) noexcept {
  if (start == end) return;
  const auto bytes = static_cast<std::size_t>(end - start);
  unpoison(start, bytes);
  std::memset(start, 0, bytes);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
