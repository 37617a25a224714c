#pragma once

#include <version>

#if defined(__cpp_lib_source_location)
#include <source_location>
#endif
#include <atomic>
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

#if defined(__cpp_lib_source_location)

static_assert(sizeof(source_location) == sizeof(void*));

/// A location that one thread writes and others read.
class marked_location {
 public:
  void mark(const source_location& here) noexcept {
    at_.store(here, std::memory_order_relaxed);
  }
  source_location read() const noexcept {
    return at_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<source_location> at_;
};

#else

class marked_location {
 public:
  void mark(const source_location& here) noexcept {
    file_.store(here.file_name(), std::memory_order_relaxed);
    function_.store(here.function_name(), std::memory_order_relaxed);
    line_.store(here.line(), std::memory_order_relaxed);
  }
  source_location read() const noexcept {
    return source_location::current(file_.load(std::memory_order_relaxed),
                                    function_.load(std::memory_order_relaxed),
                                    line_.load(std::memory_order_relaxed));
  }

 private:
  std::atomic<const char*> file_ = "";
  std::atomic<const char*> function_ = "";
  std::atomic<std::uint_least32_t> line_ = 0;
};

#endif

}  // namespace detail

}  // namespace hotplate::inline HOTPLATE_ABI
