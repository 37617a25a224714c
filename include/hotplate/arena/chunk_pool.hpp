#pragma once

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "hotplate/base/chunk.hpp"
#include "hotplate/base/fork_mark.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Chunks for all arenas of an engine, in powers of two, recycled LIFO.
/// Small ones are cut from regions of 32 MiB; a large one is mapped by itself
/// and, beyond `most_idle_large` bytes of idle ones, unmapped on return.
/// Once the engine has reached its working size, no system call is made. What
/// was not needed lately goes back to the kernel: see look() and trim().
/// Thread safety: all members may be called from any thread, look() and trim()
/// by one at a time.
/// I1: detached chunks are counted in `held_`, whole, before they are taken and
///     until they have come back; never more than `most_held_`.
/// I2: it ends with whoever makes `held_` zero: the last payload or the engine.
class chunk_pool final : public chunk_source {
 public:
  /// `threaded`: others than the one thread that forks may use it, and hold its
  /// lock as it does.
  explicit chunk_pool(std::size_t most_held, bool threaded = false) noexcept
      : most_held_(most_held), threaded_(threaded) {}
  chunk_pool(const chunk_pool&) = delete;
  chunk_pool& operator=(const chunk_pool&) = delete;

  chunk* take(std::size_t bytes) noexcept override {
    const std::size_t order = order_of(bytes);
    if (order > largest) return nullptr;
    const lock_guard hold(lock_);
    return take_one(order);
  }

  void give(chunk* list) noexcept override {
    const lock_guard hold(lock_);
    while (list != nullptr) {
      chunk* const next = list->next;
      recycle(list);
      list = next;
    }
  }

  // --- chunk_detach.hpp
  detachment detach(std::size_t bytes) noexcept override;
  void rejoin(std::byte* start, std::size_t bytes,
              bool scrub) noexcept override;

  // --- chunk_trim.hpp
  /// From now on, what is idle now and not taken before the next look is to be
  /// trimmed then, but for a few small ones.
  void look() noexcept;
  /// Gives some of that to the kernel: regions of which nothing is used, else
  /// what their idle chunks hold. False if there is nothing left to give.
  bool trim() noexcept;

  /// Bytes of chunks that are detached now.
  std::size_t held_bytes() const noexcept {
    return held_.load(std::memory_order_relaxed) & ~used_by_engine;
  }

  /// The engine's end: nothing is taken any more, and what is detached keeps
  /// only its own regions.
  void retire() noexcept {
    {
      const lock_guard hold(lock_);
      retired_ = true;
      unmap_idle_large();
      for (mapping& each : regions_) unmap_unless_held(each);
    }
    unhold(used_by_engine);
  }

  /// Bytes of address space held, and how often the kernel was asked.
  std::size_t mapped_bytes() const noexcept {
    return mapped_.load(std::memory_order_relaxed);
  }
  std::size_t growths() const noexcept {
    return growths_.load(std::memory_order_relaxed);
  }

 private:
  struct mapping {
    std::byte* start;  // Null once it is unmapped.
    std::size_t detached = 0;
    chunk* doomed = nullptr;  // By chunk::next.
    std::size_t doomed_bytes = 0;
    std::size_t blank_bytes = 0;
  };
  static constexpr std::size_t smallest = 12;
  static constexpr std::size_t largest_shared = 21;
  static constexpr std::size_t largest = 34;
  static constexpr std::size_t region_bytes = std::size_t{32} << 20;
  static constexpr std::size_t most_idle_large = std::size_t{256} << 20;

  // In held_: chunks have no such bit, their sizes are pages.
  static constexpr std::size_t used_by_engine = 1;

  ~chunk_pool() {
    for (const mapping& each : regions_) {
      if (each.start != nullptr) unmap(each.start, region_bytes);
    }
    unmap_idle_large();
  }

  void unhold(std::size_t share) noexcept {
    // acq_rel: who ends it comes after all others.
    if (held_.fetch_sub(share, std::memory_order_acq_rel) == share) {
      delete this;
    }
  }

  static std::size_t order_of(std::size_t bytes) noexcept {
    const auto order = static_cast<std::size_t>(std::bit_width(bytes - 1));
    return order < smallest ? smallest : order;
  }

  // --- chunk_detach.hpp
  std::byte* detach_one(std::size_t order) noexcept;
  void reattach(std::byte* start, std::size_t order) noexcept;

  // Those below are called under the lock.

  mapping& region_of(const std::byte* start) noexcept {
    auto each = regions_.begin();
    while (start < each->start || start >= each->start + region_bytes) ++each;
    return *each;
  }

  void unmap_unless_held(mapping& region) noexcept {
    if (region.detached != 0 || region.start == nullptr) return;
    unmap(std::exchange(region.start, nullptr), region_bytes);
  }

  void unmap_idle_large() noexcept {
    for (std::size_t order = largest_shared + 1; order <= largest; ++order) {
      while (chunk* const idle = pop_idle(order)) unmap(idle, idle->size);
      while (chunk* const idle = pop(doomed_, order)) unmap(idle, idle->size);
    }
  }

  chunk* take_one(std::size_t order) noexcept {
    if (chunk* const idle = pop_idle(order)) return idle;
    return order <= largest_shared ? cut(order) : map_large(order);
  }

  using chunk_lists = std::array<chunk*, largest + 1>;
  chunk* pop(chunk_lists& lists, std::size_t order) noexcept {
    chunk* const first = lists[order];
    if (first == nullptr) return nullptr;
    lists[order] = first->next;
    if (order > largest_shared) idle_large_ -= first->size;
    return first;
  }
  chunk* pop_idle(std::size_t order) noexcept {
    if (chunk* const idle = pop(idle_, order)) [[likely]]
      return idle;
    if (chunk* const idle = pop(resting_, order)) return idle;
    return order <= largest_shared ? take_blank(order) : nullptr;
  }

  // --- chunk_trim.hpp
  chunk* take_blank(std::size_t order) noexcept;
  chunk* beyond_kept(std::size_t order) noexcept;
  bool sort_doomed() noexcept;
  void doom(chunk& unused) noexcept;
  bool trim_large() noexcept;
  bool trim_region() noexcept;
  bool is_unused(const mapping& region) const noexcept;
  std::byte* drop(mapping& unused) noexcept;
  void empty(chunk& doomed) noexcept;

  // Poisoned until it is used again, but for its header.
  void recycle(chunk* done) noexcept {
    const auto order = static_cast<std::size_t>(std::countr_zero(done->size));
    if (order > largest_shared) {
      if (idle_large_ + done->size > most_idle_large) {
        unmap(done, done->size);
        return;
      }
      idle_large_ += done->size;
    }
    done->next = idle_[order];
    idle_[order] = done;
    poison(done + 1, done->size - sizeof(chunk));
  }

  chunk* cut(std::size_t order) noexcept {
    const std::size_t size = std::size_t{1} << order;
    if (fresh_left_ < size && !add_region()) return nullptr;
    auto* const made = reinterpret_cast<chunk*>(fresh_);
    fresh_ += size;
    fresh_left_ -= size;
    made->size = size;
    return made;
  }

  // What is left of the old region goes to the lists, largest first.
  bool add_region() noexcept try {
    regions_.reserve(regions_.size() + 1);
    auto* const start = static_cast<std::byte*>(map(region_bytes));
    if (start == nullptr) return false;
    while (fresh_left_ >= std::size_t{1} << smallest) {
      recycle(cut(static_cast<std::size_t>(std::bit_width(fresh_left_)) - 1));
    }
    regions_.push_back({start, 0, nullptr, 0, 0});
    fresh_ = start;
    fresh_left_ = region_bytes;
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  chunk* map_large(std::size_t order) noexcept {
    const std::size_t size = std::size_t{1} << order;
    auto* const made = static_cast<chunk*>(map(size));
    if (made != nullptr) made->size = size;
    return made;
  }

  void* map(std::size_t size) noexcept {
    void* const start =
        mmap(nullptr, size, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return nullptr;
    mapped_.fetch_add(size, std::memory_order_relaxed);
    growths_.fetch_add(1, std::memory_order_relaxed);
    return start;
  }

  void unmap(void* start, std::size_t size) noexcept {
    unpoison(start, size);
    munmap(start, size);
    mapped_.fetch_sub(size, std::memory_order_relaxed);
  }

  const std::size_t most_held_;
  const bool threaded_;
  const fork_mark process_;
  std::atomic<std::size_t> held_ = used_by_engine;
  lock lock_;  // Guards all that follows but the two counters.
  bool retired_ = false;
  chunk_lists idle_{};     // By order, the one used last first.
  chunk_lists resting_{};  // Not needed since the last look.
  chunk_lists doomed_{};   // Nor since the one before.
  // Chunks of which the kernel has all memory, header included.
  std::array<std::vector<void*>, largest_shared + 1> blank_;
  std::size_t idle_large_ = 0;
  std::byte* fresh_ = nullptr;
  std::size_t fresh_left_ = 0;
  std::vector<mapping> regions_;
  // Statistics only, hence relaxed.
  std::atomic<std::size_t> mapped_ = 0;
  std::atomic<std::size_t> growths_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/arena/chunk_detach.hpp"
#include "hotplate/arena/chunk_trim.hpp"
