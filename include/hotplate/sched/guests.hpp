#pragma once

#include <sched.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/base/owned.hpp"
#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Plain workers for threads of the host that run a task themselves. Claimed
/// for each task anew, but a thread that comes again finds the one that it had
/// last: a slot that stayed with its thread would have to be given back when
/// that ends, maybe while the engine ends as well. The first ones have seats.
/// Thread safety: all members may be called from any thread, but for trim(): by
/// one at a time.
/// Stress: tests/stress/guest_stress_test.cpp
class guests {
 public:
  guests(shared_sched& shared, std::size_t first_index, std::size_t most,
         std::size_t first_seat, std::size_t seats)
      : shared_(shared),
        first_index_(first_index),
        most_(most),
        first_seat_(first_seat),
        seats_(seats),
        slots_(most) {}
  guests(const guests&) = delete;
  guests& operator=(const guests&) = delete;
  ~guests() {
    for (std::size_t i = 0; i < most_; ++i) delete at(i);
  }

  /// Null if at some moment all were in use, or memory is out. `last` is the
  /// one that the calling thread had before, or null.
  HOTPLATE_INLINE worker* claim(worker* last) noexcept {
    if (last == nullptr) [[unlikely]]
      return claim_any();
    slot& again = slot_of(*last);
    if (!try_claim(again)) [[unlikely]]
      return claim_any();
    if (last->seat() == worker::no_seat) [[unlikely]]
      return look_for_seat(again);
    return last;
  }

  HOTPLATE_INLINE void give_back(worker& used) noexcept {
    slot& its = slot_of(used);
    // release: pairs with the acquire in try_claim().
    its.claims.store(its.claims.load(std::memory_order_relaxed) & ~taken,
                     std::memory_order_release);
  }

  /// From now on, those that nobody uses are to be trimmed.
  void look() noexcept { to_trim_ = most_; }
  /// Trims one of them; false if none is left.
  bool trim() noexcept {
    if (to_trim_ == 0) return false;
    slot& next = slots_[--to_trim_];
    worker* const own = next.made.load(std::memory_order_acquire);
    if (own == nullptr || !try_claim(next, in_trim)) return true;
    if (!own->trim_vacant()) ++to_trim_;
    give_back(*own);
    return true;
  }

  std::size_t most() const noexcept { return most_; }
  /// Null if it was never needed.
  worker* at(std::size_t i) const noexcept {
    return slots_[i].made.load(std::memory_order_acquire);
  }

 private:
  static constexpr std::uint32_t in_use = 1;
  static constexpr std::uint32_t in_trim = 2;
  static constexpr std::uint32_t taken = in_use | in_trim;
  static constexpr std::uint32_t one_claim = 4;
  static constexpr std::uint32_t look_again = 64;  // Every so many uses.

  struct alignas(cache_line) slot {
    // How often it was claimed, and below that whether it is now. Whoever
    // claims it has the worker, and alone writes this, until he gives it back.
    std::atomic<std::uint32_t> claims = 0;
    std::atomic<worker*> made = nullptr;
    std::uint32_t uses = 0;  // Without a seat.
  };

  slot& slot_of(const worker& its) const noexcept {
    return slots_[its.index() - first_index_];
  }

  static bool try_claim(slot& wanted, std::uint32_t to = in_use) noexcept {
    std::uint32_t seen = wanted.claims.load(std::memory_order_relaxed);
    if ((seen & taken) != 0) return false;
    // acquire: sees what was done there before; pairs with give_back().
    return wanted.claims.compare_exchange_strong(seen, seen + one_claim + to,
                                                 std::memory_order_acquire,
                                                 std::memory_order_relaxed);
  }

  // The first that is vacant, so that seats are not left empty. Refused is who
  // finds all in use twice, and the same claims: those were all there between.
  HOTPLATE_NOINLINE worker* claim_any() noexcept {
    std::uint64_t before = ~std::uint64_t{0};
    for (;;) {
      std::uint64_t claims = 0;
      bool trimmed = false;
      if (worker* const own = claim_of(most_, claims, trimmed)) return own;
      if (!trimmed && claims == before) return nullptr;
      before = claims;
      if (trimmed) sched_yield();
    }
  }

  // Null if memory is out, too: all may be in use as well.
  worker* claim_of(std::size_t first_ones, std::uint64_t& claims,
                   bool& trimmed) noexcept {
    for (std::size_t i = 0; i < first_ones; ++i) {
      slot& tried = slots_[i];
      if (try_claim(tried)) {
        worker* const own = tried.made.load(std::memory_order_relaxed);
        return own != nullptr ? own : make_(*this, tried);
      }
      const std::uint32_t seen = tried.claims.load(std::memory_order_acquire);
      trimmed = trimmed || (seen & in_use) == 0;
      claims += seen;
    }
    return nullptr;
  }

  // Its thread came when all seats were taken; some may be vacant by now.
  HOTPLATE_NOINLINE worker* look_for_seat(slot& had) noexcept {
    worker* const last = had.made.load(std::memory_order_relaxed);
    if (++had.uses % look_again != 0) return last;
    std::uint64_t claims = 0;
    bool trimmed = false;
    worker* const better = claim_of(seats_, claims, trimmed);
    if (better == nullptr) return last;
    give_back(*last);
    return better;
  }

  static worker* make(guests& self, slot& empty) noexcept try {
    const auto i = static_cast<std::size_t>(&empty - self.slots_.get());
    auto* const made =
        new worker(self.shared_, self.first_index_ + i, worker_kind::plain,
                   i < self.seats_ ? self.first_seat_ + i : worker::no_seat);
    empty.made.store(made, std::memory_order_release);
    return made;
  } catch (const std::bad_alloc&) {
    empty.claims.fetch_and(~taken, std::memory_order_release);
    return nullptr;
  }

  shared_sched& shared_;
  const std::size_t first_index_;
  const std::size_t most_;
  const std::size_t first_seat_;
  const std::size_t seats_;
  const owned_array<slot> slots_;
  std::size_t to_trim_ = 0;  // Of who trims.
  worker* (*const make_)(guests& self, slot& empty) noexcept = &make;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
