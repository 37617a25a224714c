#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/base/owned.hpp"
#include "hotplate/base/poison.hpp"
#include "hotplate/engine/invocation.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The memory of records: slabs of them, in groups of which each has as many as
/// all before it. An address stays mapped, and a record's alone, until the end;
/// an emptied slab reads as zeros, the state of no invocation.
/// Thread safety: for_each() from any thread at any time; the rest under the
/// lock of whoever owns this, but for sort() and what is sorted: by one thread.
class record_slabs {
 public:
  static constexpr std::size_t slab_bytes = std::size_t{32} << 10;
  static constexpr std::size_t per_slab = slab_bytes / sizeof(invocation);

  /// Records from one slab, none in use.
  struct slab {
    invocation* idle = nullptr;  // That are sorted, by invocation::next_free.
    std::uint32_t idle_count = 0;
    std::atomic<bool> filled = false;
  };

  record_slabs() = default;
  record_slabs(const record_slabs&) = delete;
  record_slabs& operator=(const record_slabs&) = delete;
  ~record_slabs() {
    for_each([](invocation& each) { each.~invocation(); });
    for (std::size_t i = 0; i < most_groups && group(i) != nullptr; ++i) {
      unpoison(group(i)->start, slabs_in(i) * slab_bytes);
      munmap(group(i)->start, slabs_in(i) * slab_bytes);
      delete group(i);
    }
  }

  /// Fills one more slab by make(where, slot); the first of its records, or
  /// null when memory is out.
  template <typename Make>
  invocation* fill(const Make& make) noexcept {
    std::size_t at = first_empty_;
    while (at < count() && (*this)[at].filled.load(std::memory_order_relaxed)) {
      ++at;
    }
    if (at == count() && !add()) return nullptr;
    first_empty_ = at + 1;
    std::byte* const start = start_of(at);
    for (std::size_t i = 0; i < per_slab; ++i) {
      make(start + i * sizeof(invocation),
           static_cast<std::uint32_t>(at * per_slab + i + 1));
    }
    filled_.fetch_add(1, std::memory_order_relaxed);
    // release: publishes the records; pairs with for_each().
    (*this)[at].filled.store(true, std::memory_order_release);
    return record(start, 0);
  }
  static invocation* record(std::byte* slab, std::size_t i) noexcept {
    return reinterpret_cast<invocation*>(slab + i * sizeof(invocation));
  }

  /// Calls `see(record)` for every record, whatever its state.
  template <typename See>
  void for_each(const See& see) {
    const std::size_t count = made_.load(std::memory_order_acquire);
    for (std::size_t at = 0; at < count; ++at) {
      if (!(*this)[at].filled.load(std::memory_order_acquire)) continue;
      std::byte* const start = start_of(at);
      for (std::size_t i = 0; i < per_slab; ++i) see(*record(start, i));
    }
  }

  std::size_t count() const noexcept {
    return made_.load(std::memory_order_relaxed);
  }
  std::size_t filled() const noexcept {
    return filled_.load(std::memory_order_relaxed);
  }
  slab& operator[](std::size_t at) const noexcept {
    const std::size_t i = group_of(at);
    return group(i)->slabs[at - first_of(i)];
  }

  /// Notes that a record is idle.
  void sort(invocation& idle) noexcept {
    slab& home = (*this)[(idle.slot - 1) / per_slab];
    idle.next_free = home.idle;
    home.idle = &idle;
    ++home.idle_count;
  }
  static bool is_idle(const slab& sorted) noexcept {
    return sorted.idle_count == per_slab;
  }

  /// Ends the records of a slab that is idle; their last generation. It counts
  /// as filled until reuse(), so that nobody fills it meanwhile.
  std::uint64_t empty(std::size_t at) noexcept {
    slab& emptied = (*this)[at];
    emptied.idle = nullptr;
    emptied.idle_count = 0;
    std::byte* const start = start_of(at);
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < per_slab; ++i) {
      invocation* const each = record(start, i);
      if (each->generation() > last) last = each->generation();
      each->~invocation();
    }
    unpoison(start, slab_bytes);
    madvise(start, slab_bytes, MADV_DONTNEED);
    return last;
  }
  /// It may be filled again.
  void reuse(std::size_t emptied) noexcept {
    (*this)[emptied].filled.store(false, std::memory_order_relaxed);
    filled_.fetch_sub(1, std::memory_order_relaxed);
    if (emptied < first_empty_) first_empty_ = emptied;
  }

 private:
  struct slab_group {
    explicit slab_group(std::size_t size) : slabs(size) {}
    std::byte* start = nullptr;
    const owned_array<slab> slabs;
  };
  static constexpr std::size_t most_groups = 24;
  static constexpr std::size_t first_slabs = 16;

  static std::size_t group_of(std::size_t at) noexcept {
    const std::size_t doublings = at / first_slabs;
    return static_cast<std::size_t>(std::bit_width(doublings));
  }
  static std::size_t first_of(std::size_t i) noexcept {
    return i == 0 ? 0 : first_slabs << (i - 1);
  }
  static std::size_t slabs_in(std::size_t i) noexcept {
    return i == 0 ? first_slabs : first_of(i);
  }
  slab_group* group(std::size_t i) const noexcept {
    // acquire: pairs with add().
    return groups_[i].load(std::memory_order_acquire);
  }
  std::byte* start_of(std::size_t at) const noexcept {
    const std::size_t i = group_of(at);
    return group(i)->start + (at - first_of(i)) * slab_bytes;
  }

  bool add() noexcept {
    const std::size_t at = count();
    const std::size_t i = group_of(at);
    if (i == most_groups || (group(i) == nullptr && !add_group(i))) {
      return false;
    }
    made_.store(at + 1, std::memory_order_release);
    return true;
  }

  bool add_group(std::size_t i) noexcept try {
    auto made = make_owned<slab_group>(slabs_in(i));
    const std::size_t bytes = slabs_in(i) * slab_bytes;
    void* const start =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return false;
    madvise(start, bytes, MADV_NOHUGEPAGE);
    made->start = static_cast<std::byte*>(start);
    groups_[i].store(made.release(), std::memory_order_release);
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  std::array<std::atomic<slab_group*>, most_groups> groups_{};
  std::atomic<std::size_t> made_ = 0;  // Slabs, filled or emptied.
  std::atomic<std::size_t> filled_ = 0;
  std::size_t first_empty_ = 0;  // None before it is.
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
