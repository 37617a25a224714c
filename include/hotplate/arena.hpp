#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>

#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

/// Part of an arena; its header stands at its start.
struct chunk {
  chunk* next;
  std::size_t size;  ///< Header included.
};

/// Where arenas get their chunks.
class chunk_source {
 public:
  /// At least `bytes`, header included; null when memory is out.
  virtual chunk* take(std::size_t bytes) noexcept = 0;
  virtual void give(chunk* list) noexcept = 0;

 protected:
  ~chunk_source() = default;
};

}  // namespace detail

/// The memory of one invocation: allocate and forget, all of it is rewound when
/// the handler ends. Also a std::pmr::memory_resource.
/// Errors: throws std::bad_alloc beyond the function's memory; the invocation
/// then ends `out_of_memory`, whatever the handler does with the exception.
/// Thread safety: none; it belongs to the handler's fiber.
class arena final : public std::pmr::memory_resource {
 public:
  /// Uninitialised; valid until the handler ends.
  void* allocate(std::size_t bytes,
                 std::size_t alignment = alignof(std::max_align_t)) {
    const auto at = reinterpret_cast<std::uintptr_t>(cursor_);
    const std::size_t padding = -at & (alignment - 1);
    const auto room = static_cast<std::size_t>(end_ - cursor_);
    if (padding > room || bytes > room - padding) [[unlikely]] {
      return grow(bytes, alignment);
    }
    std::byte* const start = cursor_ + padding;
    cursor_ = start + bytes;
    detail::unpoison(start, bytes);
    return start;
  }

  /// Bytes in use, alignment included. Nothing is given back before the
  /// handler ends, so this is the peak as well.
  std::size_t used() const noexcept {
    return closed_ + static_cast<std::size_t>(cursor_ - begin_);
  }
  std::size_t limit() const noexcept { return limit_; }

  /// Sticky: an allocation was refused, for one of the two reasons below.
  bool refused() const noexcept { return exhausted_ || starved_; }
  /// Sticky: an allocation was refused because of the limit.
  bool exhausted() const noexcept { return exhausted_; }
  /// Sticky: an allocation was refused because the host is out of memory.
  bool starved() const noexcept { return starved_; }

  /// `used()` when the last chunk was taken; from any thread.
  std::size_t last_known() const noexcept {
    return last_known_.load(std::memory_order_relaxed);
  }

  // What follows is for the engine.

  arena() = default;
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;
  ~arena() override { release(); }

  /// Starts an invocation in `first`, which the caller keeps.
  void open(detail::chunk_source& source, std::byte* first, std::size_t size,
            std::size_t limit) noexcept {
    source_ = &source;
    limit_ = limit;
    closed_ = 0;
    last_known_.store(0, std::memory_order_relaxed);
    exhausted_ = starved_ = false;
    use(first, size);
  }

  /// Gives every chunk back; `used()` keeps its value.
  void release() noexcept {
    if (chunks_ == nullptr) [[likely]]
      return;
    closed_ = used();
    begin_ = cursor_ = end_ = nullptr;
    source_->give(chunks_);
    chunks_ = nullptr;
  }

 private:
  static constexpr std::size_t smallest_chunk = 4096;
  static constexpr std::size_t largest_step = std::size_t{1} << 20;

  void use(std::byte* first, std::size_t size) noexcept {
    const std::size_t cap =
        limit_ - closed_;  // Never more closed than allowed.
    begin_ = cursor_ = first;
    end_ = first + (size < cap ? size : cap);
    detail::poison(first, size);
  }

  HOTPLATE_NOINLINE void* grow(std::size_t bytes, std::size_t alignment) {
    const std::size_t before = used();
    if (before > limit_ || bytes > limit_ - before) refuse(exhausted_);
    std::size_t wanted =
        chunks_ == nullptr ? smallest_chunk : chunks_->size * 2;
    if (wanted > largest_step) wanted = largest_step;
    const std::size_t needed = sizeof(detail::chunk) + bytes + alignment;
    detail::chunk* const fresh =
        source_->take(wanted > needed ? wanted : needed);
    if (fresh == nullptr) refuse(starved_);

    fresh->next = chunks_;
    chunks_ = fresh;
    closed_ = before;
    last_known_.store(before, std::memory_order_relaxed);
    auto* const first = reinterpret_cast<std::byte*>(fresh + 1);
    // Alignment inside a fresh chunk is not the handler's use.
    const std::size_t skew =
        -reinterpret_cast<std::uintptr_t>(first) & (alignment - 1);
    use(first + skew, fresh->size - sizeof(detail::chunk) - skew);
    return allocate(bytes, alignment);
  }

  [[noreturn]] void refuse(bool& mark) {
    mark = true;
    throw std::bad_alloc();
  }

  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return allocate(bytes, alignment);
  }
  void do_deallocate(void*, std::size_t, std::size_t) override {}
  bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::byte* begin_ = nullptr;
  std::byte* cursor_ = nullptr;
  std::byte* end_ = nullptr;  // Of the chunk, or where the limit is reached.
  std::size_t closed_ = 0;    // Used in chunks before the current one.
  std::size_t limit_ = 0;
  // Written by the handler's side, read by whoever answers its caller early.
  std::atomic<std::size_t> last_known_ = 0;
  detail::chunk* chunks_ = nullptr;
  detail::chunk_source* source_ = nullptr;
  bool exhausted_ = false;
  bool starved_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI
