#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cstddef>
#include <vector>

#include "hotplate/arena.hpp"
#include "hotplate/base/lock.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Chunks for all arenas of an engine, in powers of two, recycled LIFO.
/// Small ones are cut from regions of 32 MiB; a large one is mapped by itself
/// and, beyond `most_idle_large` bytes of idle ones, unmapped on return.
/// Once the engine has reached its working size, no system call is made.
/// Thread safety: all members may be called from any thread.
class chunk_pool final : public chunk_source {
 public:
  chunk_pool() = default;
  chunk_pool(const chunk_pool&) = delete;
  chunk_pool& operator=(const chunk_pool&) = delete;
  ~chunk_pool() {
    for (const mapping& region : regions_) unmap(region.start, region.size);
    for (std::size_t order = smallest; order <= largest; ++order) {
      if (order <= largest_shared) continue;
      while (chunk* const idle = pop(order)) unmap(idle, idle->size);
    }
  }

  chunk* take(std::size_t bytes) noexcept override {
    std::size_t order = static_cast<std::size_t>(std::bit_width(bytes - 1));
    if (order < smallest) order = smallest;
    if (order > largest) return nullptr;

    const lock_guard hold(lock_);
    if (chunk* const idle = pop(order)) return idle;
    return order <= largest_shared ? cut(order) : map_large(order);
  }

  void give(chunk* list) noexcept override {
    const lock_guard hold(lock_);
    while (list != nullptr) {
      chunk* const next = list->next;
      recycle(list);
      list = next;
    }
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
    std::byte* start;
    std::size_t size;
  };
  static constexpr std::size_t smallest = 12;
  static constexpr std::size_t largest_shared = 21;
  static constexpr std::size_t largest = 34;
  static constexpr std::size_t region_bytes = std::size_t{32} << 20;
  static constexpr std::size_t most_idle_large = std::size_t{256} << 20;

  chunk* pop(std::size_t order) noexcept {
    chunk* const idle = idle_[order];
    if (idle == nullptr) return nullptr;
    idle_[order] = idle->next;
    if (order > largest_shared) idle_large_ -= idle->size;
    return idle;
  }

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
    regions_.push_back({start, region_bytes});
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

  lock lock_;  // Guards all but the two counters.
  std::array<chunk*, largest + 1> idle_{};
  std::size_t idle_large_ = 0;
  std::byte* fresh_ = nullptr;
  std::size_t fresh_left_ = 0;
  std::vector<mapping> regions_;
  // Statistics only, hence relaxed.
  std::atomic<std::size_t> mapped_ = 0;
  std::atomic<std::size_t> growths_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
