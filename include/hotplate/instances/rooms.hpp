#pragma once

#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/chunk.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/base/poison.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Room for the small instances of all functions of an engine, cut from chunks,
/// so that it goes back when they have ended; the heap would keep it for the
/// process. Larger ones are the heap's, and all are under AddressSanitizer,
/// which sees more there.
/// Thread safety: all members may be called from any thread.
/// I1: a hall with an empty room is in its list; one without any in use is
///     given back unless it is the only one there.
class instance_rooms {
 public:
  struct hall;
  struct room {
    void* start = nullptr;
    hall* in = nullptr;  // Null: the heap's.
  };

  /// Each of so many workers has a share of its own.
  explicit instance_rooms(chunk_source& chunks, std::size_t workers = 1)
      : chunks_(chunks), shares_(workers) {}
  instance_rooms(const instance_rooms&) = delete;
  instance_rooms& operator=(const instance_rooms&) = delete;

  static constexpr std::size_t anybody = ~std::size_t{0};

  /// Throws std::bad_alloc. From a worker's share, or that of `anybody`.
  room take(std::size_t bytes, std::size_t alignment,
            std::size_t worker = anybody) {
    if (!is_small(bytes, alignment)) {
      return {::operator new (bytes, std::align_val_t{alignment}), nullptr};
    }
    const std::size_t size = (bytes - 1) / step;
    kind& from = share_of(worker).kinds[size];
    const lock_guard hold(from.guard);
    hall* on = from.with_room;
    if (on == nullptr) on = open(from, (size + 1) * step);
    if (on == nullptr) throw std::bad_alloc();
    empty_room* const taken = on->empty;
    on->empty = taken->next;
    ++on->in_use;
    if (on->empty == nullptr) from.unlink(*on);
    unpoison(taken, bytes);
    return {taken, on};
  }

  void give(const room& left, std::size_t alignment) noexcept {
    if (left.in == nullptr) {
      ::operator delete (left.start, std::align_val_t{alignment});
      return;
    }
    hall& on = *left.in;
    chunk* unused = nullptr;
    {
      const lock_guard hold(on.of.guard);
      if (on.empty == nullptr) on.of.link(on);
      on.empty = new (left.start) empty_room{on.empty};
      const bool only = on.of.with_room == &on && on.next == nullptr;
      if (--on.in_use == 0 && !only) {
        on.of.unlink(on);
        unused = on.made_of;
      }
    }
    if (unused == nullptr) return;
    unused->next = nullptr;
    chunks_.give(unused);
  }

 private:
  struct empty_room {
    empty_room* next;
  };
  struct kind {
    lock guard;
    hall* with_room = nullptr;

    inline void link(hall& added) noexcept;
    inline void unlink(hall& gone) noexcept;
  };

 public:
  struct hall {
    hall(kind& its_kind, chunk* its_chunk) noexcept
        : of(its_kind), made_of(its_chunk) {}
    kind& of;
    chunk* const made_of;
    empty_room* empty = nullptr;
    std::size_t in_use = 0;
    hall* next = nullptr;
    hall* previous = nullptr;
  };

 private:
  static constexpr std::size_t step = cache_line;
  static constexpr std::size_t largest = 1024;
  static constexpr std::size_t hall_bytes = std::size_t{32} << 10;

  static bool is_small(std::size_t bytes, std::size_t alignment) noexcept {
#if defined(HOTPLATE_ASAN)
    return false;
#endif
    return bytes <= largest && alignment <= step;
  }

  hall* open(kind& of, std::size_t size) noexcept {
    chunk* const fresh = chunks_.take(hall_bytes);
    if (fresh == nullptr) return nullptr;
    auto* const end = reinterpret_cast<std::byte*>(fresh) + hall_bytes;
    auto* const made = new (fresh + 1) hall(of, fresh);
    auto* at = reinterpret_cast<std::byte*>(made + 1);
    at += -reinterpret_cast<std::uintptr_t>(at) & (step - 1);
    for (; at + size <= end; at += size) {
      made->empty = new (at) empty_room{made->empty};
    }
    of.link(*made);
    return made;
  }

  // Threads that make instances at the same time do so apart; one ends where it
  // was made.
  struct alignas(cache_line) share {
    std::array<kind, largest / step> kinds;
  };

  share& share_of(std::size_t worker) const noexcept {
    if (worker < shares_.size()) return shares_[worker];
    // Stacks lie an odd number of pages apart, more often than not.
    const auto page = static_cast<std::size_t>(pthread_self()) >> 12;
    return shares_[page % shares_.size()];
  }

  chunk_source& chunks_;
  const owned_array<share> shares_;
};

inline void instance_rooms::kind::link(hall& added) noexcept {
  added.previous = nullptr;
  added.next = std::exchange(with_room, &added);
  if (added.next != nullptr) added.next->previous = &added;
}

inline void instance_rooms::kind::unlink(hall& gone) noexcept {
  *(gone.previous == nullptr ? &with_room : &gone.previous->next) = gone.next;
  if (gone.next != nullptr) gone.next->previous = gone.previous;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
