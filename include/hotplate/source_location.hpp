#pragma once

#include <version>

#if defined(__cpp_lib_source_location)
#include <source_location>
#endif
#include <atomic>
#include <bit>
#include <cstdint>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

#if defined(__cpp_lib_source_location)

using source_location = std::source_location;

#else

/// Stands for std::source_location where the compiler has none (clang 14).
class source_location {
 public:
  static constexpr source_location current(
      const char* file = __builtin_FILE(),
      const char* function = __builtin_FUNCTION(),
      std::uint_least32_t line = __builtin_LINE()) noexcept {
    source_location here;
    here.file_ = file;
    here.function_ = function;
    here.line_ = line;
    return here;
  }
  constexpr const char* file_name() const noexcept { return file_; }
  constexpr const char* function_name() const noexcept { return function_; }
  constexpr std::uint_least32_t line() const noexcept { return line_; }
  constexpr std::uint_least32_t column() const noexcept { return 0; }

 private:
  const char* file_ = "";
  const char* function_ = "";
  std::uint_least32_t line_ = 0;
};

#endif

namespace detail {

/// A location that one thread writes and others read. Of the same layout for
/// every compiler, as several may share an engine: one word for a
/// std::source_location, which points to its text, or, with the highest bit of
/// that word set, three for what stands for it.
class marked_location {
 public:
#if defined(__cpp_lib_source_location)
  void mark(const source_location& here) noexcept {
    text_.store(std::bit_cast<std::uintptr_t>(here), std::memory_order_relaxed);
  }
  /// Nothing where code without std::source_location marked.
  source_location read() const noexcept {
    const std::uintptr_t text = text_.load(std::memory_order_relaxed);
    return std::bit_cast<source_location>((text & in_parts) == 0 ? text : 0);
  }
#else
  void mark(const source_location& here) noexcept {
    function_.store(here.function_name(), std::memory_order_relaxed);
    line_.store(here.line(), std::memory_order_relaxed);
    text_.store(reinterpret_cast<std::uintptr_t>(here.file_name()) | in_parts,
                std::memory_order_relaxed);
  }
  source_location read() const noexcept {
    const std::uintptr_t text = text_.load(std::memory_order_relaxed);
    if ((text & in_parts) != 0) {
      return source_location::current(
          reinterpret_cast<const char*>(text & ~in_parts),
          function_.load(std::memory_order_relaxed),
          line_.load(std::memory_order_relaxed));
    }
    // As libstdc++'s std::source_location has it.
    struct parts {
      const char* file;
      const char* function;
      unsigned line;
    };
    const auto* const seen = reinterpret_cast<const parts*>(text);
    if (seen == nullptr) return {};
    return source_location::current(seen->file, seen->function, seen->line);
  }
#endif

 private:
  static constexpr std::uintptr_t in_parts = std::uintptr_t{1} << 63;

  std::atomic<std::uintptr_t> text_ = 0;
  std::atomic<const char*> function_ = nullptr;
  std::atomic<std::uint_least32_t> line_ = 0;
};

}  // namespace detail

}  // namespace hotplate::inline HOTPLATE_ABI
