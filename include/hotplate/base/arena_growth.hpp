#pragma once

#include <cstdint>
#include <utility>

#include "hotplate/arena.hpp"

// What an arena does when its first piece of memory is used up.

namespace hotplate::inline HOTPLATE_ABI {

// Mostly the first chunk, of those that the worker has at hand: without what
// others need, half of the instructions.
HOTPLATE_NOINLINE inline void* arena::grow(std::size_t bytes,
                                           std::size_t alignment) {
  const std::size_t before = used();
  const bool plain = chunks_ == nullptr && at_hand_ != nullptr &&
                     alignment <= alignof(detail::chunk) &&
                     bytes <= limit_ - before && bytes <= largest_step;
  if (!plain) [[unlikely]]
    return grow_further(bytes, alignment);
  detail::chunk* const first = at_hand_->take(sizeof(detail::chunk) + bytes);
  if (first == nullptr) [[unlikely]]
    return grow_further(bytes, alignment);
  start_in(*first, before);
  std::byte* const start = cursor_;
  cursor_ += bytes;
  detail::unpoison(start, bytes);
  return start;
}

HOTPLATE_NOINLINE inline void* arena::grow_further(std::size_t bytes,
                                                   std::size_t alignment) {
  check(bytes);
  if (alignment > limit_) check(alignment);
  const std::size_t before = used();
  std::size_t wanted = chunks_ == nullptr ? smallest_chunk : chunks_->size * 2;
  if (wanted > largest_step) wanted = largest_step;
  const std::size_t needed = sizeof(detail::chunk) + bytes + alignment;
  detail::chunk* const fresh = take(wanted > needed ? wanted : needed);
  if (fresh == nullptr) refuse(no_memory);

  close_chunk();
  start_in(*fresh, before, alignment);
  return allocate(bytes, alignment);
}

// Alignment inside a fresh chunk is not the handler's use.
HOTPLATE_INLINE void arena::start_in(detail::chunk& fresh, std::size_t before,
                                     std::size_t alignment) noexcept {
  fresh.next = chunks_;
  chunks_ = &fresh;
  closed_ = before;
  last_known_.store(before, std::memory_order_relaxed);
  auto* const first = reinterpret_cast<std::byte*>(&fresh + 1);
  const std::size_t skew =
      -reinterpret_cast<std::uintptr_t>(first) & (alignment - 1);
  use(first + skew, fresh.size - sizeof(detail::chunk) - skew);
}

inline detail::chunk* arena::take(std::size_t bytes) noexcept {
  detail::chunk* const near =
      at_hand_ != nullptr ? at_hand_->take(bytes) : nullptr;
  return near != nullptr ? near : source_->take(bytes);
}

HOTPLATE_NOINLINE inline void arena::give_back() noexcept {
  const bool plain =
      chunks_->next == nullptr && at_hand_ != nullptr && !scrubs();
  if (!plain || !at_hand_->keep(*chunks_)) [[unlikely]]
    return give_all_back();
  chunks_ = nullptr;
  closed_ = used();
  begin_ = cursor_ = end_ = nullptr;
}

HOTPLATE_NOINLINE inline void arena::give_all_back() noexcept {
  close_chunk();
  closed_ = used();
  begin_ = cursor_ = end_ = nullptr;
  detail::chunk* used = scrubs() ? chunks_ : nullptr;
  for (; used != nullptr; used = used->next) {
    detail::overwrite(used->used_from, used->used_to);
  }
  if (at_hand_ != nullptr) chunks_ = at_hand_->give(chunks_);
  if (chunks_ != nullptr) source_->give(std::exchange(chunks_, nullptr));
}

}  // namespace hotplate::inline HOTPLATE_ABI
