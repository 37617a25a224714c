#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <new>

#include "hotplate/base/chunk.hpp"
#include "hotplate/base/chunk_cache.hpp"
#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// The memory of one invocation: allocate and forget, all of it is rewound when
/// the handler ends. Also a std::pmr::memory_resource.
/// Errors: throws std::bad_alloc beyond the function's memory; the invocation
/// then ends `out_of_memory`, whatever the handler does with the exception. A
/// response that is to outlive the arena: see payload.hpp.
/// Thread safety: none; it belongs to the handler's fiber.
class arena final : public std::pmr::memory_resource {
 public:
  /// Uninitialised; valid until the handler ends. Aligned to a power of two.
  void* allocate(std::size_t bytes,
                 std::size_t alignment = alignof(std::max_align_t)) {
    detail::require(alignment != 0 && (alignment & (alignment - 1)) == 0,
                    "an arena aligns to powers of two");
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

  /// Sticky, as are all these: something was refused, for a reason below.
  bool refused() const noexcept { return marks_ > scrubbed; }
  /// Because of the limit; and what would have been used then.
  bool exhausted() const noexcept { return (marks_ & no_room) != 0; }
  std::size_t wanted() const noexcept { return wanted_; }
  /// Because the host is out of memory.
  bool starved() const noexcept { return (marks_ & no_memory) != 0; }
  /// Because too much is held for responses: what would have been held, or 0.
  std::size_t crowded() const noexcept {
    return (marks_ & no_place) != 0 ? crowd_ : 0;
  }

  /// `used()` when the last chunk was taken; from any thread.
  std::size_t last_known() const noexcept {
    return last_known_.load(std::memory_order_relaxed);
  }

  // What follows is for the engine.

  arena() = default;
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;
  ~arena() override { release(); }

  /// Starts an invocation in `first`, which the caller keeps, and overwrites
  /// itself if it is to be scrubbed.
  void open(detail::chunk_source& source, std::byte* first, std::size_t size,
            std::size_t limit, bool scrub = false) noexcept {
    source_ = &source;
    at_hand_ = nullptr;
    limit_ = limit;
    closed_ = 0;
    last_known_.store(0, std::memory_order_relaxed);
    marks_ = static_cast<std::uint8_t>(scrub);
    use(first, size);
  }

  /// From now until it is released, by the worker whose that is.
  void draw_on(detail::chunk_cache* at_hand) noexcept { at_hand_ = at_hand; }

  /// Memory that stays when this is rewound, but counts as used until then. For
  /// payloads.
  HOTPLATE_NOINLINE detail::detached_memory detach(std::size_t bytes) {
    check(bytes);
    const detail::detachment got = source_->detach(bytes);
    if (got.start == nullptr) {
      crowd_ = got.beyond_limit;
      refuse(crowd_ != 0 ? no_place : no_memory);
    }
    closed_ += bytes;
    const std::size_t cap = limit_ - closed_;
    if (static_cast<std::size_t>(end_ - begin_) > cap) end_ = begin_ + cap;
    last_known_.store(used(), std::memory_order_relaxed);
    return {*source_, got.start, bytes, scrubs()};
  }

  /// Whether what it used is overwritten before anybody else gets it.
  bool scrubs() const noexcept { return (marks_ & scrubbed) != 0; }

  /// Gives every chunk back; `used()` keeps its value.
  void release() noexcept {
    if (chunks_ != nullptr) [[unlikely]]
      give_back();
  }

 private:
  // Together in one byte, which open() writes at once.
  enum mark : std::uint8_t {
    scrubbed = 1,   // As a bool has it.
    no_room = 2,    // Within the limit.
    no_memory = 4,  // In the host.
    no_place = 8,   // For one more response that is held.
  };
  static constexpr std::size_t smallest_chunk = 4096;
  static constexpr std::size_t largest_step = std::size_t{1} << 20;

  void use(std::byte* first, std::size_t size) noexcept {
    const std::size_t cap = limit_ - closed_;  // closed_ <= limit_
    begin_ = cursor_ = first;
    end_ = first + (size < cap ? size : cap);
    detail::poison(first, size);
  }

  void check(std::size_t bytes) {
    const std::size_t before = used();
    if (before <= limit_ && bytes <= limit_ - before) return;
    wanted_ = bytes <= ~before ? before + bytes : ~std::size_t{0};
    refuse(no_room);
  }
  // --- base/arena_growth.hpp
  void* grow(std::size_t bytes, std::size_t alignment);
  void* grow_further(std::size_t bytes, std::size_t alignment);
  void start_in(detail::chunk& fresh, std::size_t before,
                std::size_t alignment = 1) noexcept;
  detail::chunk* take(std::size_t bytes) noexcept;
  void give_back() noexcept;
  void give_all_back() noexcept;

  void close_chunk() noexcept {
    if (chunks_ == nullptr) return;
    chunks_->used_from = begin_;
    chunks_->used_to = cursor_;
  }

  [[noreturn]] void refuse(mark why) {
    marks_ = static_cast<std::uint8_t>(marks_ | why);
    throw std::bad_alloc();
  }

  // Two blocks are never at one address, not even two of no bytes.
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    return allocate(bytes == 0 ? 1 : bytes, alignment);
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
  detail::chunk_cache* at_hand_ = nullptr;
  std::size_t crowd_ = 0, wanted_ = 0;  // Read with their marks only.
  std::uint8_t marks_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI

#include "hotplate/base/arena_growth.hpp"
