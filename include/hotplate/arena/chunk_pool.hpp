#pragma once

#include <sys/mman.h>

#include <array>
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
/// Once the engine has reached its working size, no system call is made.
/// Thread safety: all members may be called from any thread.
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

  detachment detach(std::size_t bytes) noexcept override {
    const std::size_t order = order_of(bytes);
    if (order > largest) return {};
    const std::size_t size = std::size_t{1} << order;
    // relaxed: a count; what it counts is handed over under the lock.
    std::size_t held = held_.load(std::memory_order_relaxed);
    do {
      const std::size_t then = (held & ~used_by_engine) + size;
      if (then > most_held_) return {nullptr, then};
    } while (!held_.compare_exchange_weak(held, held + size,
                                          std::memory_order_relaxed));
    if (std::byte* const start = detach_one(order)) {
      poison(start, size);
      unpoison(start, bytes);
      return {start, 0};
    }
    unhold(size);
    return {};
  }

  void rejoin(std::byte* start, std::size_t bytes,
              bool scrub) noexcept override {
    // In a forked child, the lock's holder may be missing: leaked on purpose.
    if (threaded_ && process_.is_child()) return;
    const std::size_t order = order_of(bytes);
    if (scrub) overwrite(start, start + bytes);
    reattach(start, order);
    unhold(std::size_t{1} << order);
  }

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

  std::byte* detach_one(std::size_t order) noexcept {
    const lock_guard hold(lock_);
    auto* const start = reinterpret_cast<std::byte*>(take_one(order));
    if (start != nullptr && order <= largest_shared) {
      ++region_of(start).detached;
    }
    return start;
  }

  void reattach(std::byte* start, std::size_t order) noexcept {
    const lock_guard hold(lock_);
    unpoison(start, sizeof(chunk));
    auto* const done = new (start) chunk{};
    done->size = std::size_t{1} << order;
    if (order > largest_shared) {
      retired_ ? unmap(done, done->size) : recycle(done);
      return;
    }
    mapping& home = region_of(start);
    --home.detached;
    retired_ ? unmap_unless_held(home) : recycle(done);
  }

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
      while (chunk* const idle = pop(order)) unmap(idle, idle->size);
    }
  }

  chunk* take_one(std::size_t order) noexcept {
    if (chunk* const idle = pop(order)) return idle;
    return order <= largest_shared ? cut(order) : map_large(order);
  }

  chunk* pop(std::size_t order) noexcept {
    chunk* const idle = idle_[order];
    if (idle == nullptr) return nullptr;
    idle_[order] = idle->next;
    if (order > largest_shared) idle_large_ -= idle->size;
    return idle;
  }

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
    regions_.push_back({start});
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
  std::array<chunk*, largest + 1> idle_{};
  std::size_t idle_large_ = 0;
  std::byte* fresh_ = nullptr;
  std::size_t fresh_left_ = 0;
  std::vector<mapping> regions_;
  // Statistics only, hence relaxed.
  std::atomic<std::size_t> mapped_ = 0;
  std::atomic<std::size_t> growths_ = 0;
};

/// An engine's pool of chunks, which outlives it while payloads hold some.
class chunk_pool_hold {
 public:
  chunk_pool_hold(std::size_t most_held, bool threaded)
      : pool_(new chunk_pool(most_held, threaded)) {}
  chunk_pool_hold(const chunk_pool_hold&) = delete;
  chunk_pool_hold& operator=(const chunk_pool_hold&) = delete;
  ~chunk_pool_hold() { pool_->retire(); }

  chunk_pool& operator*() const noexcept { return *pool_; }
  chunk_pool* operator->() const noexcept { return pool_; }

 private:
  chunk_pool* const pool_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
