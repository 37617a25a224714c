#pragma once

#include <cstdio>
#include <cstdlib>

#include "hotplate/version.hpp"

// For our own bugs only; what a user can get wrong is an error or an outcome.
#if !defined(NDEBUG)
#define HOTPLATE_ASSERT(condition)                                         \
  ((condition) ? static_cast<void>(0)                                      \
               : (static_cast<void>(std::fprintf(                          \
                      stderr, "hotplate: broken invariant at %s:%d: %s\n", \
                      __FILE__, __LINE__, #condition)),                    \
                  std::abort()))
#else
#define HOTPLATE_ASSERT(condition) static_cast<void>(0)
#endif

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What a caller has to keep to and no errc stands for: builds with assertions
/// end the process with `otherwise`; others do not look.
inline void require([[maybe_unused]] bool kept,
                    [[maybe_unused]] const char* otherwise) noexcept {
#if defined(HOTPLATE_CHECKED)
  if (kept) return;
  std::fprintf(stderr, "hotplate: %s\n", otherwise);
  std::abort();
#endif
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail

// Puts a part of the warm path into its caller, where the compiler would not.
#define HOTPLATE_INLINE __attribute__((always_inline)) inline

// Keeps a slow path, or one side of a fiber switch, out of its caller.
#define HOTPLATE_NOINLINE __attribute__((noinline))
