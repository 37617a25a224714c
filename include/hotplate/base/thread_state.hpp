#pragma once

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdio>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Whether one thread computes or is blocked, as the kernel sees it. Processor
/// time would not tell a blocked thread from one that gets no processor.
/// Thread safety: adopt() from the thread, is_blocked() from any.
class thread_state {
 public:
  /// The calling thread's from now on, until that ends.
  void adopt() noexcept {
    id_.store(static_cast<pid_t>(syscall(SYS_gettid)),
              std::memory_order_relaxed);
  }

  /// Sleeps or waits for a device at this moment; false if that is not known.
  /// Source: proc(5), /proc/pid/task/tid/stat, field 3.
  bool is_blocked() const noexcept {
    char text[128];
    std::snprintf(text, sizeof text, "/proc/self/task/%d/stat",
                  id_.load(std::memory_order_relaxed));
    const int file = ::open(text, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const ssize_t size = ::read(file, text, sizeof text);
    ::close(file);
    if (size <= 0) return false;
    const std::string_view line(text, static_cast<std::size_t>(size));
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string_view::npos || name_end + 2 >= line.size()) {
      return false;
    }
    const char state = line[name_end + 2];
    return state == 'S' || state == 'D';
  }

 private:
  std::atomic<pid_t> id_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
