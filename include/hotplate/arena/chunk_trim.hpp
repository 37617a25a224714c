#pragma once

#include <algorithm>

#include "hotplate/arena/chunk_pool.hpp"

// How chunks that nobody needs go back to the kernel. A chunk that is not taken
// from one look to the next is doomed: nobody finds it any more. Of the doomed
// ones, those of a region of which nothing is used go with the region; others
// are emptied, and are `blank` then: taken again when nothing else is there.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline void chunk_pool::look() noexcept {
  const lock_guard hold(lock_);
  for (std::size_t order = smallest; order <= largest; ++order) {
    if (doomed_[order] != nullptr) continue;  // It is still at it.
    doomed_[order] = std::exchange(resting_[order], beyond_kept(order));
  }
}

inline bool chunk_pool::trim() noexcept {
  return trim_large() || sort_doomed() || trim_region();
}

// 64 KiB of each order, the ones used last: a trickle must not cause faults.
inline chunk* chunk_pool::beyond_kept(std::size_t order) noexcept {
  constexpr std::size_t kept = std::size_t{64} << 10;
  chunk** at = &idle_[order];
  for (std::size_t left = kept >> order; left > 0 && *at != nullptr; --left) {
    at = &(*at)->next;
  }
  return std::exchange(*at, nullptr);
}

inline bool chunk_pool::trim_large() noexcept {
  chunk* gone = nullptr;
  {
    const lock_guard hold(lock_);
    std::size_t order = largest;
    while (order > largest_shared && doomed_[order] == nullptr) --order;
    if (order == largest_shared) return false;
    gone = pop(doomed_, order);
  }
  unmap(gone, gone->size);
  return true;
}

/// A few doomed ones to their regions; false if there were none.
inline bool chunk_pool::sort_doomed() noexcept {
  constexpr int at_once = 64;
  const lock_guard hold(lock_);
  int sorted = 0;
  for (std::size_t order = smallest; order <= largest_shared; ++order) {
    while (sorted < at_once && doomed_[order] != nullptr) {
      doom(*pop(doomed_, order));
      ++sorted;
    }
  }
  return sorted > 0;
}

inline void chunk_pool::doom(chunk& unused) noexcept {
  mapping& home = region_of(reinterpret_cast<const std::byte*>(&unused));
  home.doomed_bytes += unused.size;
  unused.next = std::exchange(home.doomed, &unused);
}

// Without the lock while the kernel works.
inline bool chunk_pool::trim_region() noexcept {
  std::byte* unused = nullptr;
  chunk* doomed = nullptr;
  {
    const lock_guard hold(lock_);
    for (mapping& each : regions_) {
      if (each.doomed == nullptr) continue;
      if (is_unused(each)) {
        unused = drop(each);
      } else {
        doomed = std::exchange(each.doomed, each.doomed->next);
        each.doomed_bytes -= doomed->size;
      }
      break;
    }
  }
  if (unused != nullptr) unmap(unused, region_bytes);
  if (doomed != nullptr) empty(*doomed);
  return unused != nullptr || doomed != nullptr;
}

inline bool chunk_pool::is_unused(const mapping& region) const noexcept {
  const bool is_fresh =
      fresh_ >= region.start && fresh_ < region.start + region_bytes;
  return region.doomed_bytes + region.blank_bytes +
             (is_fresh ? fresh_left_ : 0) ==
         region_bytes;
}

/// Where it starts; it is not among the regions any more.
inline std::byte* chunk_pool::drop(mapping& unused) noexcept {
  std::byte* const start = unused.start;
  const auto is_in_it = [start](const void* place) {
    return place >= start && place < start + region_bytes;
  };
  if (is_in_it(fresh_)) {
    fresh_ = nullptr;
    fresh_left_ = 0;
  }
  for (auto& blanks : blank_) {
    blanks.erase(std::remove_if(blanks.begin(), blanks.end(), is_in_it),
                 blanks.end());
  }
  unused = regions_.back();
  regions_.pop_back();
  return start;
}

inline void chunk_pool::empty(chunk& doomed) noexcept {
  const std::size_t size = doomed.size;
  const auto order = static_cast<std::size_t>(std::countr_zero(size));
  const bool emptied = madvise(&doomed, size, MADV_DONTNEED) == 0;
  const lock_guard hold(lock_);
  try {
    if (!emptied) return recycle(&doomed);  // Locked in memory by the host.
    blank_[order].push_back(&doomed);
    region_of(reinterpret_cast<std::byte*>(&doomed)).blank_bytes += size;
  } catch (const std::bad_alloc&) {
    doomed.size = size;
    recycle(&doomed);
  }
}

inline chunk* chunk_pool::take_blank(std::size_t order) noexcept {
  if (blank_[order].empty()) return nullptr;
  auto* const start = static_cast<std::byte*>(blank_[order].back());
  blank_[order].pop_back();
  const std::size_t size = std::size_t{1} << order;
  region_of(start).blank_bytes -= size;
  auto* const made = reinterpret_cast<chunk*>(start);
  made->size = size;
  return made;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
