#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <utility>

#include "hotplate/base/chunk.hpp"
#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Small chunks that a worker has at hand, so that what its invocations need
/// beyond their records costs no lock. Holds 256 KiB at most.
/// Thread safety: its worker only.
class chunk_cache {
 public:
  /// At least `bytes`, header included; null if it has none.
  chunk* take(std::size_t bytes) noexcept {
    const auto order = static_cast<std::size_t>(std::bit_width(bytes - 1));
    if (order > largest) return nullptr;
    chunk*& first = lists_[order < smallest ? 0 : order - smallest];
    chunk* const taken = first;
    if (taken == nullptr) return nullptr;
    first = taken->next;
    held_ -= taken->size;
    return taken;
  }

  /// False if it does not.
  bool keep(chunk& given) noexcept {
    if (held_ + given.size > most_held) return false;
    const auto order = static_cast<std::size_t>(std::bit_width(given.size)) - 1;
    if (order < smallest || order > largest) return false;
    given.next = std::exchange(lists_[order - smallest], &given);
    held_ += given.size;
    poison(&given + 1, given.size - sizeof(chunk));
    return true;
  }

  /// Returns those of a list that it does not keep.
  chunk* give(chunk* list) noexcept {
    chunk* others = nullptr;
    while (list != nullptr) {
      chunk& each = *std::exchange(list, list->next);
      if (!keep(each)) each.next = std::exchange(others, &each);
    }
    return others;
  }

  /// All of them.
  chunk* empty() noexcept {
    chunk* all = nullptr;
    for (chunk*& first : lists_) {
      while (first != nullptr) {
        chunk* const rest = first->next;
        first->next = std::exchange(all, first);
        first = rest;
      }
    }
    held_ = 0;
    return all;
  }

 private:
  static constexpr std::size_t smallest = 12;  // Orders, as of chunk_pool.
  static constexpr std::size_t largest = 16;
  static constexpr std::size_t most_held = std::size_t{256} << 10;

  std::array<chunk*, largest - smallest + 1> lists_{};
  std::size_t held_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
