#pragma once

#include <sys/mman.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Address space for stacks of one size, each above its guard of 64 KiB.
struct stack_region {
  static constexpr std::size_t guard_bytes = std::size_t{64} << 10;
  static constexpr std::size_t most_slots = 832;

  class slot_set {
   public:
    bool any() const noexcept {
      for (const std::uint64_t word : words_) {
        if (word != 0) return true;
      }
      return false;
    }
    void add(std::size_t slot) noexcept { words_[slot / 64] |= bit(slot); }
    void remove(std::size_t slot) noexcept { words_[slot / 64] &= ~bit(slot); }
    void add(const slot_set& others) noexcept {
      for (std::size_t i = 0; i < words; ++i) words_[i] |= others.words_[i];
    }
    void remove(const slot_set& others) noexcept {
      for (std::size_t i = 0; i < words; ++i) words_[i] &= ~others.words_[i];
    }
    /// Of a set that is not empty.
    std::size_t first() const noexcept {
      std::size_t at = 0;
      while (words_[at] == 0) ++at;
      return at * 64 + static_cast<std::size_t>(std::countr_zero(words_[at]));
    }

   private:
    static constexpr std::size_t words = most_slots / 64;
    static constexpr std::uint64_t bit(std::size_t slot) noexcept {
      return std::uint64_t{1} << slot % 64;
    }
    std::array<std::uint64_t, words> words_{};
  };

  std::byte* start = nullptr;
  std::size_t bytes = 0;
  std::size_t slot_bytes = 0;  // With the guard.
  std::uint8_t order = 0;
  std::size_t fresh = 0;  // From this slot on, none was ever used.
  std::size_t used = 0;
  slot_set idle;        // Used before, with a guard.
  slot_set touched;     // Of these: may hold memory.
  bool offers = false;  // It is in the pool's list of those with room.
  bool waits = false;   // It is in the pool's list of those to be trimmed.
  stack_region* next_with_room = nullptr;
  stack_region* next_touched = nullptr;

  std::size_t slots() const noexcept { return bytes / slot_bytes; }
  std::byte* at(std::size_t slot) const noexcept {
    return start + slot * slot_bytes;
  }
  std::size_t slot_of(const std::byte* stack) const noexcept {
    return static_cast<std::size_t>(stack - start) / slot_bytes;
  }
  bool has_room() const noexcept { return fresh < slots() || idle.any(); }

  /// False when memory is out.
  bool map(void* at = nullptr) noexcept {
    void* const mapped = mmap(at, bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
                                  MAP_STACK | (at != nullptr ? MAP_FIXED : 0),
                              -1, 0);
    if (mapped == MAP_FAILED) return false;
    // A huge page for each stack's first touch would cost 2 MiB.
    madvise(mapped, bytes, MADV_NOHUGEPAGE);
    start = static_cast<std::byte*>(mapped);
    return true;
  }

  /// Empties what no stack uses. Mapped anew, it has no guards any more, but
  /// neither page tables, which madvise() would leave.
  bool empty_all() noexcept { return map(start); }

  /// Empties these stacks; their guards stay.
  void empty(slot_set these) const noexcept {
    while (these.any()) {
      const std::size_t slot = these.first();
      these.remove(slot);
      madvise(at(slot) + guard_bytes, slot_bytes - guard_bytes, MADV_DONTNEED);
    }
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
