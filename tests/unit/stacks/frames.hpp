#pragma once

#include <cstddef>

#include "hotplate/base/assert.hpp"

inline constexpr std::size_t kibibyte = 1024;

// Uses that much of the stack, all of it.
HOTPLATE_NOINLINE inline int use(std::size_t bytes) {
  constexpr std::size_t step = 512;
  volatile char frame[step];
  for (std::size_t i = 0; i < step; ++i) frame[i] = 1;
  return bytes <= step ? frame[0] : use(bytes - step - 64) + frame[1];
}

template <std::size_t Bytes>
HOTPLATE_NOINLINE int use_frame() {
  volatile char frame[Bytes];
  constexpr std::size_t step = 512;  // From the top down, past no guard.
  static_assert(Bytes % step == 0);
  for (std::size_t i = Bytes; i > 0; i -= step) frame[i - step] = 1;
  return frame[0];
}
