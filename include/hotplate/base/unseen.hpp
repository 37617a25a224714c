#pragma once

#include "hotplate/version.hpp"

#if defined(HOTPLATE_TSAN)
extern "C" {
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}
#endif

namespace hotplate::inline HOTPLATE_ABI::detail {

/// While it lives, ThreadSanitizer overlooks this thread's plain reads and
/// writes, but not its atomics: for what is ordered by means that it does not
/// know.
class unseen {
 public:
#if defined(HOTPLATE_TSAN)
  unseen() noexcept {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~unseen() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
#else
  unseen() noexcept = default;
  ~unseen() = default;
#endif
  unseen(const unseen&) = delete;
  unseen& operator=(const unseen&) = delete;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
