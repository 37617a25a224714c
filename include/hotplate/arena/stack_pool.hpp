#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
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

/// Bytes from the deepest page of a stack that was ever touched to its top; 0
/// if the kernel does not say. It knows resident pages: the size of a page is
/// the resolution, and what is swapped out is not seen.
inline std::size_t deepest_use(const stack_memory& of) noexcept {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  unsigned char resident[256];
  const std::size_t step = sizeof resident * page;
  for (std::size_t from = 0; from < of.size; from += step) {
    const std::size_t bytes = of.size - from < step ? of.size - from : step;
    if (mincore(of.bottom + from, bytes, resident) != 0) return 0;
    for (std::size_t at = 0; at < bytes; at += page) {
      if ((resident[at / page] & 1) != 0) return of.size - from - at;
    }
  }
  return 0;
}

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

  /// Stacks of one class are interchangeable. Classes are powers of two, by
  /// their exponent, and then those of one function each: see dedicate().
  static constexpr std::size_t classes = 256;
  static constexpr std::size_t common_classes = 27;
  static constexpr std::size_t most_dedicated = classes - common_classes;

  static std::uint8_t class_of(std::size_t bytes) noexcept {
    if (bytes < smallest) bytes = smallest;
    return static_cast<std::uint8_t>(std::bit_width(bytes - 1));
  }

  /// A class whose stacks nobody else uses, so that their use can be told
  /// apart; 0 if none is left. Throws std::bad_alloc.
  std::uint8_t dedicate(std::size_t bytes) {
    const lock_guard hold(lock_);
    if (dedicated_.size() == most_dedicated) return 0;
    dedicated_.push_back({class_of(bytes), {}});
    return static_cast<std::uint8_t>(classes - dedicated_.size());
  }

  /// The deepest use of any stack of a dedicated class, in bytes.
  std::size_t peak(std::uint8_t dedicated) const {
    std::vector<stack_memory> stacks;
    {
      const lock_guard hold(lock_);
      stacks = dedicated_[classes - 1 - dedicated].stacks;
    }
    std::size_t most = 0;
    for (const stack_memory& each : stacks) {
      const std::size_t used = deepest_use(each);
      if (used > most) most = used;
    }
    return most;
  }

  /// `size` is 0 when memory is out.
  stack_memory make(std::uint8_t stack_class) noexcept try {
    const lock_guard hold(lock_);
    own_class* const owner =
        stack_class < common_classes
            ? nullptr
            : &dedicated_[classes - 1 - std::size_t{stack_class}];
    if (owner != nullptr) owner->stacks.reserve(owner->stacks.size() + 1);
    const std::uint8_t order = owner != nullptr ? owner->order : stack_class;
    const std::size_t size = (std::size_t{1} << order) * headroom;
    const std::size_t slot = size + guard_bytes;
    region& source = fresh_[order];
    if (source.left < slot && !reserve(source, slot)) return {};
    std::byte* const start = source.next;
    if (!guard(start)) return {};
    source.next += slot;
    source.left -= slot;
    ++made_;
    const stack_memory made{start + guard_bytes, size};
    if (owner != nullptr) owner->stacks.push_back(made);
    return made;
  } catch (const std::bad_alloc&) {
    return {};
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
  struct own_class {
    std::uint8_t order = 0;
    std::vector<stack_memory> stacks;
  };
  static constexpr std::size_t reservation = std::size_t{64} << 20;
  static constexpr int install_guard = 102;  // MADV_GUARD_INSTALL, Linux 6.13
#if defined(HOTPLATE_ASAN) || defined(HOTPLATE_TSAN)
  static constexpr std::size_t headroom = 4;  // Instrumented frames are large.
#else
  static constexpr std::size_t headroom = 1;
#endif

  bool reserve(region& source, std::size_t slot) {
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
  }

  bool guard(std::byte* start) noexcept {
    if (!no_guard_advice_) {
      if (madvise(start, guard_bytes, install_guard) == 0) return true;
      if (errno != EINVAL) return false;  // Known, but not possible now.
      no_guard_advice_ = true;
    }
    return mprotect(start, guard_bytes, PROT_NONE) == 0;
  }

  mutable lock lock_;                           // Guards everything below.
  std::array<region, common_classes> fresh_{};  // By log2 of the size.
  std::vector<own_class> dedicated_;            // The last class first.
  std::vector<stack_memory> regions_;
  std::size_t made_ = 0;
  bool no_guard_advice_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
