#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/cache_line.hpp"
#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Places of a gate that each worker holds ready, on a cache line of its own,
/// so that several need not write the same one for every invocation; all other
/// threads share an account.
/// Thread safety: all members may be called from any thread.
/// I1: a place is inside, in one account, or the gate's own to give; it changes
///     hands in one atomic step, but for what the gate does under its lock.
class credits {
 public:
  /// Null when memory is out.
  static credits* make(std::size_t workers) noexcept {
    auto* const accounts = new (std::nothrow) account[workers + 1];
    if (accounts == nullptr) return nullptr;
    auto* const made = new (std::nothrow) credits(accounts, workers);
    if (made == nullptr) delete[] accounts;
    return made;
  }
  credits(const credits&) = delete;
  credits& operator=(const credits&) = delete;
  ~credits() { delete[] accounts_; }

  std::size_t workers() const noexcept { return workers_; }

  static constexpr std::int64_t nothing = -1;
  static constexpr std::int64_t enough = -2;
  /// Takes one. Returns how many are left, if they are fewer than since the
  /// account was filled; or else that there was none, or enough. seq_cst, as
  /// entering a gate is.
  HOTPLATE_INLINE std::int64_t take(std::size_t worker) noexcept {
    account& own = accounts_[index_of(worker)];
    std::uint64_t seen = own.held.load(std::memory_order_relaxed);
    do {
      if (count_of(seen) == 0) return nothing;
    } while (!own.held.compare_exchange_weak(
        seen, seen - 1, std::memory_order_seq_cst, std::memory_order_relaxed));
    const std::uint32_t left = count_of(seen) - 1;
    if (left >= own.fewest.load(std::memory_order_relaxed)) return enough;
    own.fewest.store(left, std::memory_order_relaxed);
    return left;
  }

  /// By a worker. Returns how many it holds now. seq_cst, as leaving a gate is.
  HOTPLATE_INLINE std::uint32_t give(std::size_t worker) noexcept {
    constexpr std::uint64_t one_more = one_change + 1;
    return count_of(accounts_[worker].held.fetch_add(
               one_more, std::memory_order_seq_cst)) +
           1;
  }

  /// Under the gate's lock.
  void add(std::size_t worker, std::int64_t places) noexcept {
    account& own = accounts_[index_of(worker)];
    own.fewest.store(static_cast<std::uint32_t>(places),
                     std::memory_order_relaxed);
    own.held.fetch_add(one_change + static_cast<std::uint64_t>(places),
                       std::memory_order_seq_cst);
  }
  /// Under the gate's lock: empties all accounts.
  std::int64_t take_all() noexcept {
    std::int64_t places = 0;
    for (std::size_t i = 0; i <= workers_; ++i) {
      places += take_back(i, ~std::uint32_t{0});
    }
    return places;
  }
  /// Under the gate's lock: up to so many of one account.
  std::int64_t take_back(std::size_t worker, std::uint32_t most) noexcept {
    std::atomic<std::uint64_t>& held = accounts_[worker].held;
    std::uint64_t seen = held.load(std::memory_order_seq_cst);
    std::uint32_t taken = 0;
    do {
      taken = count_of(seen) < most ? count_of(seen) : most;
      if (taken == 0) return 0;
    } while (!held.compare_exchange_weak(seen, seen - taken,
                                         std::memory_order_seq_cst));
    return taken;
  }

  /// Of all accounts; `changes` says whether another look may say otherwise: it
  /// is the same as long as nobody has given.
  std::int64_t sum(std::uint64_t& changes) const noexcept {
    std::int64_t places = 0;
    changes = 0;
    for (std::size_t i = 0; i <= workers_; ++i) {
      // acquire: sees what those who gave have done; seq_cst as the others.
      const std::uint64_t seen =
          accounts_[i].held.load(std::memory_order_seq_cst);
      places += count_of(seen);
      changes += seen >> 32;
    }
    return places;
  }

 private:
  // In one word, so that both are seen at the same moment: in the low half what
  // is held, in the high one how often something was added.
  static constexpr std::uint64_t one_change = std::uint64_t{1} << 32;
  static std::uint32_t count_of(std::uint64_t held) noexcept {
    return static_cast<std::uint32_t>(held);
  }
  struct alignas(cache_line) account {
    std::atomic<std::uint64_t> held = 0;
    // That it held, since it was filled; late by one or two, if it is shared.
    std::atomic<std::uint32_t> fewest = 0;
  };

  std::size_t index_of(std::size_t worker) const noexcept {
    return worker < workers_ ? worker : workers_;
  }

  credits(account* accounts, std::size_t workers) noexcept
      : accounts_(accounts), workers_(workers) {}

  account* const accounts_;
  const std::size_t workers_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
