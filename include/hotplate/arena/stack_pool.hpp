#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <new>
#include <vector>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A handler's stack, above its guard.
struct stack_memory {
  std::byte* bottom = nullptr;
  std::size_t size = 0;
};

/// Fiber stacks of an engine, cut from large reservations and never returned
/// before the engine ends. Below each lies a guard of 64 KiB: where the kernel
/// has MADV_GUARD_INSTALL (6.13) it costs no mapping, else two per stack.
/// Thread safety: all members may be called from any thread.
class stack_pool {
 public:
  static constexpr std::size_t smallest = std::size_t{16} << 10;
  static constexpr std::size_t largest = std::size_t{64} << 20;
  static constexpr std::size_t guard_bytes = std::size_t{64} << 10;

  stack_pool() = default;
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  ~stack_pool() {
    for (const stack_memory& mapped : regions_) {
      unpoison(mapped.bottom, mapped.size);
      munmap(mapped.bottom, mapped.size);
    }
  }

  /// Stacks of one class are interchangeable.
  static std::uint8_t class_of(std::size_t bytes) noexcept {
    if (bytes < smallest) bytes = smallest;
    return static_cast<std::uint8_t>(std::bit_width(bytes - 1));
  }

  /// `size` is 0 when memory is out.
  stack_memory make(std::uint8_t stack_class) noexcept {
    const std::size_t size = (std::size_t{1} << stack_class) * headroom;
    const std::size_t slot = size + guard_bytes;
    const lock_guard hold(lock_);
    region& source = fresh_[stack_class];
    if (source.left < slot && !reserve(source, slot)) return {};
    std::byte* const start = source.next;
    if (!guard(start)) return {};
    source.next += slot;
    source.left -= slot;
    ++made_;
    return {start + guard_bytes, size};
  }

  std::size_t made() const noexcept {
    const lock_guard hold(lock_);
    return made_;
  }

 private:
  struct region {
    std::byte* next = nullptr;
    std::size_t left = 0;
  };
  static constexpr std::size_t reservation = std::size_t{64} << 20;
  static constexpr int install_guard = 102;  // MADV_GUARD_INSTALL, Linux 6.13
#if defined(HOTPLATE_ASAN) || defined(HOTPLATE_TSAN)
  static constexpr std::size_t headroom = 4;  // Instrumented frames are large.
#else
  static constexpr std::size_t headroom = 1;
#endif

  bool reserve(region& source, std::size_t slot) noexcept try {
    regions_.reserve(regions_.size() + 1);
    const std::size_t size = slot > reservation ? slot : reservation;
    void* const start =
        mmap(nullptr, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (start == MAP_FAILED) return false;
    // A huge page for each stack's first touch would cost 2 MiB.
    madvise(start, size, MADV_NOHUGEPAGE);
    regions_.push_back({static_cast<std::byte*>(start), size});
    source = {static_cast<std::byte*>(start), size};
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  bool guard(std::byte* start) noexcept {
    if (!no_guard_advice_) {
      if (madvise(start, guard_bytes, install_guard) == 0) return true;
      no_guard_advice_ = true;
    }
    return mprotect(start, guard_bytes, PROT_NONE) == 0;
  }

  mutable lock lock_;               // Guards everything below.
  std::array<region, 27> fresh_{};  // By class: log2 of the size.
  std::vector<stack_memory> regions_;
  std::size_t made_ = 0;
  bool no_guard_advice_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
