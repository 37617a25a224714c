#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Tells whether this process was forked from the one that made the mark: by a
/// page that the kernel empties in children (MADV_WIPEONFORK, Linux 4.14),
/// since asking for the process id is a system call; where there is none, by
/// that. Thread safety: all members may be called from any thread.
class fork_mark {
 public:
  fork_mark() noexcept {
    void* const page = mmap(nullptr, page_bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, page_bytes, wipe_on_fork) != 0) {
      munmap(page, page_bytes);
      return;
    }
    mark_ = new (page) std::atomic<std::uint32_t>(1);
  }
  fork_mark(const fork_mark&) = delete;
  fork_mark& operator=(const fork_mark&) = delete;
  ~fork_mark() {
    if (mark_ != nullptr) munmap(mark_, page_bytes);
  }

  bool is_child() const noexcept {
    if (mark_ != nullptr) return mark_->load(std::memory_order_relaxed) == 0;
    return getpid() != process_;
  }

 private:
  static constexpr std::size_t page_bytes = 4096;
  static constexpr int wipe_on_fork = 18;  // MADV_WIPEONFORK

  const pid_t process_ = getpid();
  std::atomic<std::uint32_t>* mark_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
