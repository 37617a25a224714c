#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Part of an arena; its header stands at its start.
struct alignas(std::max_align_t) chunk {
  chunk* next;
  std::size_t size;  ///< Header included.
  // What the arena has used of it, once it uses another.
  std::byte* used_from;
  std::byte* used_to;
};

/// What a source says to a wish for memory that outlives the arena.
struct detachment {
  std::byte* start = nullptr;
  /// If the source's limit forbids it: what would be held then, in bytes.
  std::size_t beyond_limit = 0;
};

/// Where arenas get their chunks.
class chunk_source {
 public:
  /// At least `bytes`, header included; null when memory is out.
  virtual chunk* take(std::size_t bytes) noexcept = 0;
  virtual void give(chunk* list) noexcept = 0;

  /// Memory that no arena gives back; its alignment is a page's. The source
  /// stays until it has come back.
  virtual detachment detach(std::size_t bytes) noexcept = 0;
  /// Of the bytes that were asked for, rounded up to 4,096. From any thread.
  virtual void rejoin(std::byte* start, std::size_t bytes,
                      bool scrub) noexcept = 0;

 protected:
  ~chunk_source() = default;
};

/// Owns detached memory, or none. May outlive the engine and go to any thread.
class detached_memory {
 public:
  detached_memory(chunk_source& home, std::byte* start, std::size_t bytes,
                  bool scrub) noexcept
      : start_(start),
        size_(bytes),
        home_(&home),
        pages_(static_cast<std::uint32_t>((bytes + page - 1) / page)),
        scrub_(scrub) {}
  detached_memory(detached_memory&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        home_(other.home_),
        pages_(other.pages_),
        scrub_(other.scrub_) {}
  detached_memory& operator=(detached_memory&& other) noexcept {
    detached_memory gone(std::move(*this));
    start_ = std::exchange(other.start_, nullptr);
    size_ = std::exchange(other.size_, 0);
    home_ = other.home_;
    pages_ = other.pages_;
    scrub_ = other.scrub_;
    return *this;
  }
  ~detached_memory() {
    if (start_ != nullptr) home_->rejoin(start_, pages_ * page, scrub_);
  }

  std::byte* data() const noexcept { return start_; }
  std::size_t size() const noexcept { return size_; }

  void truncate(std::size_t size) noexcept {
    if (size < size_) size_ = size;
  }
  void scrub_at_end() noexcept { scrub_ = true; }

 private:
  static constexpr std::size_t page = 4096;

  std::byte* start_;
  std::size_t size_;
  chunk_source* home_;
  std::uint32_t pages_;  // That it had at first.
  bool scrub_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
