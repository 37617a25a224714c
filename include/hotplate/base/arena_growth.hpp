#pragma once

#include <cstdint>
#include <utility>

#include "hotplate/arena.hpp"

// What an arena does when its first piece of memory is used up.

namespace hotplate::inline HOTPLATE_ABI {

HOTPLATE_NOINLINE inline void* arena::grow(std::size_t bytes,
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

inline detail::chunk* arena::take(std::size_t bytes) noexcept {
  detail::chunk* const near =
      at_hand_ != nullptr ? at_hand_->take(bytes) : nullptr;
  return near != nullptr ? near : source_->take(bytes);
}

HOTPLATE_NOINLINE inline void arena::give_back() noexcept {
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
