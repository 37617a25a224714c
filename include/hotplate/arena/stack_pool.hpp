#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "hotplate/arena/stack_region.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A handler's stack, above its guard.
struct stack_memory {
  std::byte* bottom = nullptr;
  std::size_t size = 0;
  stack_region* region = nullptr;
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

/// Fiber stacks of an engine, cut from large reservations. Below each lies a
/// guard of 64 KiB: where the kernel has MADV_GUARD_INSTALL (6.13) it costs no
/// mapping, else two per stack. What given back stacks hold goes to the kernel
/// by trim(); their addresses stay mapped until the engine ends, so that who
/// looks late at a fiber finds it, another one, or zeros.
/// Thread safety: all members may be called from any thread, trim() by one at a
/// time.
class stack_pool {
 public:
  static constexpr std::size_t smallest = std::size_t{16} << 10;
  static constexpr std::size_t largest = std::size_t{64} << 20;
  static constexpr std::size_t guard_bytes = stack_region::guard_bytes;

  stack_pool() = default;
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;
  ~stack_pool() {
    for (const stack_region& mapped : regions_) {
      unpoison(mapped.start, mapped.bytes);
      munmap(mapped.start, mapped.bytes);
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
    const stack_memory made = cut(order);
    if (made.size == 0) return {};
    ++made_;
    if (owner != nullptr) owner->stacks.push_back(made);
    return made;
  } catch (const std::bad_alloc&) {
    return {};
  }

  /// One on which nothing runs any more.
  void give_back(const stack_memory& unused) noexcept {
    unpoison(unused.bottom, unused.size);
    stack_region& home = *unused.region;
    const lock_guard hold(lock_);
    const std::size_t slot = home.slot_of(unused.bottom);
    home.idle.add(slot);
    home.touched.add(slot);
    --home.used;
    --made_;
    offer(home);
    if (std::exchange(home.waits, true)) return;
    home.next_touched = std::exchange(touched_, &home);
  }

  /// Gives the kernel what is held by stacks of one region that were given
  /// back. False if there was nothing to give.
  bool trim() noexcept {
    lock_.acquire();
    stack_region* const found = touched_;
    if (found == nullptr) {
      lock_.release();
      return false;
    }
    touched_ = found->next_touched;
    found->waits = false;
    found->used == 0 ? trim_all(*found) : trim_some(*found);
    lock_.release();
    return true;
  }

  /// Stacks that are in use or kept for it.
  std::size_t made() const noexcept {
    const lock_guard hold(lock_);
    return made_;
  }

 private:
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

  // All below are called under the lock; those that trim let go of it while the
  // kernel works, and nobody finds meanwhile what they have at hand.

  stack_memory cut(std::uint8_t order) {
    stack_region* source = room_[order];
    while (source != nullptr && !source->has_room()) {
      source->offers = false;
      source = room_[order] = source->next_with_room;
    }
    if (source == nullptr) source = reserve(order);
    if (source == nullptr) return {};
    const bool again = source->idle.any();
    const std::size_t slot = again ? source->idle.first() : source->fresh;
    std::byte* const start = source->at(slot);
    if (!again && !guard(start)) return {};
    if (again) {
      source->idle.remove(slot);
      source->touched.remove(slot);
    } else {
      ++source->fresh;
    }
    ++source->used;
    return {start + guard_bytes, source->slot_bytes - guard_bytes, source};
  }

  stack_region* reserve(std::uint8_t order) {
    auto made = make_owned<stack_region>();
    made->order = order;
    made->slot_bytes = (std::size_t{1} << order) * headroom + guard_bytes;
    made->bytes =
        made->slot_bytes > reservation ? made->slot_bytes : reservation;
    regions_.reserve(regions_.size() + 1);
    if (!made->map()) return nullptr;
    stack_region& added = regions_.push_back(std::move(made));
    offer(added);
    return &added;
  }

  void offer(stack_region& with_room) noexcept {
    if (std::exchange(with_room.offers, true)) return;
    stack_region*& first = room_[with_room.order];
    with_room.next_with_room = std::exchange(first, &with_room);
  }

  void trim_all(stack_region& unused) noexcept {
    unused.idle = unused.touched = {};
    unused.fresh = unused.slots();
    lock_.release();
    const bool emptied = unused.empty_all();
    lock_.acquire();
    if (!emptied) return;  // It may have holes now: nobody gets it any more.
    unused.fresh = 0;
    offer(unused);
  }

  void trim_some(stack_region& in_use) noexcept {
    const auto touched = std::exchange(in_use.touched, {});
    in_use.idle.remove(touched);
    lock_.release();
    in_use.empty(touched);
    lock_.acquire();
    in_use.idle.add(touched);
    offer(in_use);
  }

  bool guard(std::byte* start) noexcept {
    if (!no_guard_advice_) {
      if (madvise(start, guard_bytes, install_guard) == 0) return true;
      if (errno != EINVAL) return false;  // Known, but not possible now.
      no_guard_advice_ = true;
    }
    return mprotect(start, guard_bytes, PROT_NONE) == 0;
  }

  mutable lock lock_;  // Guards everything below.
  std::array<stack_region*, common_classes> room_{};  // By log2 of the size.
  stack_region* touched_ = nullptr;
  std::vector<own_class> dedicated_;  // The last class first.
  owned_list<stack_region> regions_;
  std::size_t made_ = 0;
  bool no_guard_advice_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
