#pragma once

#include <algorithm>
#include <utility>

#include "hotplate/admission/gate.hpp"

// A gate whose workers have accounts of credits, or may be about to.

namespace hotplate::inline HOTPLATE_ABI::detail {

namespace apart {
/// As often somebody has to try again before there are accounts.
inline constexpr std::uint32_t clashes_before = 64;
/// What an account is filled with, and what it may grow to.
inline constexpr std::int64_t batch = 64;
inline constexpr std::uint32_t most = 3 * batch;
}  // namespace apart

HOTPLATE_NOINLINE inline bool gate::enter_apart(std::size_t worker,
                                                std::size_t workers) noexcept {
  credits* const all = credits_.load(std::memory_order_acquire);
  if (all == nullptr) return enter_alike(workers);
  const std::int64_t left = all->take(worker);
  if (left == credits::nothing) [[unlikely]]
    return enter_by_refill(*all, worker);
  if (left != credits::enough) note_peak(left);
  return true;
}

// At most so many are inside, of whom others may hold credits: only if that
// would be a peak it is worth a closer look.
inline void gate::note_peak(std::int64_t left) noexcept {
  const std::int64_t most = taken_.load(std::memory_order_relaxed) - left;
  if (most > peak_.load(std::memory_order_relaxed)) [[unlikely]]
    raise_peak(inside());
}

// As if it were alone: it is not, or it is full.
inline bool gate::enter_alike(std::size_t workers) noexcept {
  if (!take_one()) {
    credits* const all = credits_.load(std::memory_order_acquire);
    return all != nullptr && enter_by_collecting(*all);
  }
  raise_peak(inside());
  const auto few = 4 * static_cast<std::int64_t>(workers);
  if (workers < 2 || limit() <= few) return true;
  if (clashes_.fetch_add(1, std::memory_order_relaxed) ==
      apart::clashes_before) {
    open_accounts(workers);
  }
  return true;
}

// A place of those that are nobody's.
inline bool gate::take_one() noexcept {
  // acquire: sees the limit that it was lowered to; and the accounts, if what
  // they hold is why there is no room.
  std::int64_t taken = taken_.load(std::memory_order_acquire);
  do {
    if (count_of(taken) >= limit()) return false;
  } while (!taken_.compare_exchange_weak(
      taken, taken + 1, std::memory_order_seq_cst, std::memory_order_acquire));
  return true;
}

HOTPLATE_NOINLINE inline void gate::open_accounts(
    std::size_t workers) noexcept {
  const lock_guard hold(lock_);
  if (credits_.load(std::memory_order_relaxed) != nullptr) return;
  credits* const made = credits::make(workers);
  if (made == nullptr) return;  // No memory: it goes on as it was.
  credits_.store(made, std::memory_order_seq_cst);
  plain_.store(closed, std::memory_order_relaxed);
}

HOTPLATE_NOINLINE inline bool gate::enter_by_refill(
    credits& all, std::size_t worker) noexcept {
  const std::int64_t left = refill(all, worker);
  if (left == credits::nothing) return enter_by_collecting(all);
  note_peak(left);
  return true;
}

// One place to enter and some to hold, as many at most as leave as much for
// each of the others. Returns the latter, or that there is none to give.
inline std::int64_t gate::refill(credits& all, std::size_t worker) noexcept {
  const lock_guard hold(lock_);
  const auto others = static_cast<std::int64_t>(all.workers());
  std::int64_t taken = taken_.load(std::memory_order_relaxed);
  std::int64_t places = 0;
  do {
    const std::int64_t left = limit() - count_of(taken);
    if (left <= 0) return credits::nothing;
    places = std::clamp<std::int64_t>(left / (others + 1), 1, apart::batch);
  } while (!taken_.compare_exchange_weak(taken, taken + places,
                                         std::memory_order_seq_cst,
                                         std::memory_order_relaxed));
  all.add(worker, places - 1);
  return places - 1;
}

// Refuses only if there was no room at any one moment: what is given while one
// looks into account after account shows in their changes.
HOTPLATE_NOINLINE inline bool gate::enter_by_collecting(credits& all) noexcept {
  {
    const lock_guard hold(lock_);
    for (;;) {
      std::uint64_t before = 0;
      all.sum(before);
      taken_.fetch_sub(all.take_all(), std::memory_order_seq_cst);
      if (take_one()) break;
      std::uint64_t after = 0;
      const std::int64_t left = all.sum(after);
      if (left == 0 && after == before) return false;
    }
  }
  raise_peak(inside());
  return true;
}

// Whether the limit was lowered below those who are inside.
inline bool gate::owes() const noexcept {
  return count_of(taken_.load(std::memory_order_seq_cst)) >
         limit_.load(std::memory_order_seq_cst);
}

HOTPLATE_NOINLINE inline void gate::leave_apart(std::size_t worker) noexcept {
  credits& all = *credits_.load(std::memory_order_acquire);
  if (worker >= all.workers()) return leave_plainly();
  const std::uint32_t held = all.give(worker);
  // Looked at after: a limit lowered before that empties the account itself.
  if (held <= apart::most && !owes()) [[likely]]
    return;
  const lock_guard hold(lock_);
  const auto most = static_cast<std::uint32_t>(apart::batch);
  const std::int64_t back =
      all.take_back(worker, owes() ? ~std::uint32_t{0} : held - most);
  taken_.fetch_sub(back, std::memory_order_seq_cst);
}

// Under the lock single places change hands, nothing else; two looks into the
// accounts that find the same are of one moment.
inline std::int64_t gate::inside() const noexcept {
  const credits* const all = credits_.load(std::memory_order_acquire);
  if (all == nullptr) return count_of(taken_.load(std::memory_order_acquire));
  const lock_guard hold(lock_);
  std::uint64_t changes = 0;
  std::int64_t apart = all->sum(changes);
  for (int tries = 0; tries < 100; ++tries) {
    const std::int64_t taken = count_of(taken_.load(std::memory_order_seq_cst));
    const std::uint64_t before = std::exchange(changes, 0);
    const std::int64_t again = all->sum(changes);
    if (again == std::exchange(apart, again) && changes == before) {
      return taken - again;
    }
  }
  // They come and go all the time, so somebody is there.
  const std::int64_t seen =
      count_of(taken_.load(std::memory_order_seq_cst)) - apart;
  return seen > 1 ? seen : 1;
}

inline void gate::set_limit(std::int64_t limit) noexcept {
  const lock_guard hold(lock_);
  const bool lowers = limit < limit_.load(std::memory_order_relaxed);
  limit_.store(limit, std::memory_order_seq_cst);
  // seq_cst: whoever looked before that at the limit fails to enter, so who
  // then sees nobody too many inside will never see it.
  if (lowers) {
    plain_.store(closed, std::memory_order_relaxed);  // As they may start over.
    taken_.fetch_add(one_lowering, std::memory_order_seq_cst);
  }
  credits* const all = credits_.load(std::memory_order_seq_cst);
  if (all != nullptr) {
    taken_.fetch_sub(all->take_all(), std::memory_order_seq_cst);
  } else {
    plain_.store(lowerings() + limit, std::memory_order_seq_cst);
  }
}

inline bool gate::try_lower(std::int64_t limit) noexcept {
  const std::int64_t before = limit_.load(std::memory_order_relaxed);
  set_limit(limit);
  if (count_of(taken_.load(std::memory_order_seq_cst)) <= limit) return true;
  set_limit(before);
  return false;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
