#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

#include "hotplate/admission/credits.hpp"
#include "hotplate/base/assert.hpp"
#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Of whoever is no worker.
struct no_seat {
  static constexpr std::size_t worker() noexcept { return ~std::size_t{0}; }
  static constexpr std::size_t workers() noexcept { return 0; }
};

/// A concurrency limit: never more than `limit` inside, not for an instant, and
/// nobody is refused while there is room. Where workers get in each other's
/// way, each is given an account of credits, out of which it lets in without
/// the others; before anybody is refused, all accounts are emptied. Thread
/// safety: all members may be called from any thread, but for a worker's index,
/// which is its own.
/// I1: taken_ counts who is inside, and what is in accounts; it exceeds the
///     limit only after that was lowered.
/// I2: taken_, plain_ and peak_ say above their counts how often the limit was
///     lowered: who compared with a higher one then fails to enter.
class alignas(cache_line) gate {
 public:
  explicit gate(std::int64_t limit) noexcept : limit_(limit), plain_(limit) {}
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;
  ~gate() { delete credits_.load(std::memory_order_relaxed); }

  /// `who` says which worker asks, and of how many.
  template <typename Seat>
  HOTPLATE_INLINE bool try_enter(const Seat& who) noexcept {
    std::int64_t taken = taken_.load(std::memory_order_relaxed);
    // Not fetch_add and take back: for that instant others would be refused.
    // acquire: sees what those who left did; pairs with leave(). seq_cst: who
    // enters looks next whether the function was removed; core::is_gone().
    if (taken >= plain_.load(std::memory_order_relaxed) ||
        !taken_.compare_exchange_strong(taken, taken + 1,
                                        std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) [[unlikely]]
      return enter_apart(who.worker(), who.workers());
    if (taken >= peak_.load(std::memory_order_relaxed)) [[unlikely]] {
      raise_peak(taken + 1);
    }
    return true;
  }
  bool try_enter() noexcept { return try_enter(no_seat()); }

  /// seq_cst: who leaves looks next for who waits; see waiting_room.
  void leave(std::size_t worker = no_seat::worker()) noexcept {
    is_apart() ? leave_apart(worker) : leave_plainly();
  }
  /// Right at any time, but only of use where there are no accounts.
  HOTPLATE_INLINE void leave_plainly() noexcept {
    taken_.fetch_sub(1, std::memory_order_seq_cst);
  }
  HOTPLATE_INLINE bool is_apart() const noexcept {
    return credits_.load(std::memory_order_acquire) != nullptr;
  }

  /// Gives each of so many workers an account: once they were in each other's
  /// way often enough, or at once, by whoever knows that they will be.
  void open_accounts(std::size_t workers) noexcept;  // apart.hpp

  std::int64_t inside() const noexcept;
  /// The most that were seen inside. Exact but where workers have accounts, and
  /// as the limit is lowered: what several do at the same moment is then seen a
  /// little later, or not at all.
  std::int64_t peak() const noexcept {
    return count_of(peak_.load(std::memory_order_relaxed));
  }
  std::int64_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
  }
  /// A lower one sends nobody out; it refuses until enough have left.
  void set_limit(std::int64_t limit) noexcept;
  /// Lowers the limit, unless there are more inside already; after that there
  /// never are.
  bool try_lower(std::int64_t limit) noexcept;

 private:
  // A limit is 2^40 at most.
  static constexpr std::int64_t one_lowering = std::int64_t{1} << 42;
  static constexpr std::int64_t closed =
      std::numeric_limits<std::int64_t>::min();
  static constexpr std::int64_t count_of(std::int64_t marked) noexcept {
    return marked & (one_lowering - 1);
  }
  std::int64_t lowerings() const noexcept {
    return taken_.load(std::memory_order_relaxed) & ~(one_lowering - 1);
  }

  HOTPLATE_NOINLINE void raise_peak(std::int64_t seen) noexcept {
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    std::int64_t raised = 0;
    do {
      raised = lowerings() + std::max(count_of(peak), count_of(seen));
    } while (raised != peak && !peak_.compare_exchange_weak(
                                   peak, raised, std::memory_order_relaxed));
  }

  // --- apart.hpp
  bool enter_apart(std::size_t worker, std::size_t workers) noexcept;
  bool enter_alike(std::size_t workers) noexcept;
  bool enter_by_refill(credits& all, std::size_t worker) noexcept;
  std::int64_t refill(credits& all, std::size_t worker) noexcept;
  void note_peak(std::int64_t left) noexcept;
  bool enter_by_collecting(credits& all) noexcept;
  void leave_apart(std::size_t worker) noexcept;
  bool take_one() noexcept;
  bool owes() const noexcept;

  // Written by whoever enters or leaves, unless there are accounts.
  std::atomic<std::int64_t> taken_ = 0;
  std::atomic<std::int64_t> peak_ = 0;
  std::atomic<std::int64_t> limit_;
  std::atomic<std::int64_t> plain_;  // The same, unless there are accounts.
  std::atomic<credits*> credits_ = nullptr;
  std::atomic<std::uint32_t> clashes_ = 0;
  mutable lock lock_;  // Of whoever moves several places, or the limit.
};

/// Permission to run, one place in each gate; given back when destroyed.
class [[nodiscard]] ticket {
 public:
  ticket() noexcept = default;
  ticket(ticket&& other) noexcept { *this = std::move(other); }
  ticket& operator=(ticket&& other) noexcept {
    std::swap(engine_, other.engine_);
    std::swap(function_, other.function_);
    std::swap(tenant_, other.tenant_);
    return *this;
  }
  ticket(const ticket&) = delete;
  ticket& operator=(const ticket&) = delete;
  ~ticket() { give_back(); }

  /// Asks both gates; on refusal holds nothing and returns the full one.
  template <typename Seat = no_seat>
  HOTPLATE_INLINE const gate* enter(gate& engine, gate& function,
                                    const Seat& who = {}) noexcept {
    if (!function.try_enter(who)) [[unlikely]]
      return &function;
    if (!engine.try_enter(who)) [[unlikely]] {
      function.leave(who.worker());
      return &engine;
    }
    engine_ = &engine;
    function_ = &function;
    return nullptr;
  }

  template <typename Seat = no_seat>
  const gate* enter_with(gate& tenant, gate& engine, gate& function,
                         const Seat& who = {}) noexcept {
    if (!tenant.try_enter(who)) return &tenant;
    const gate* const full = enter(engine, function, who);
    if (full != nullptr) {
      tenant.leave(who.worker());
    } else {
      tenant_ = &tenant;
    }
    return full;
  }

  template <typename Seat = no_seat>
  HOTPLATE_INLINE void give_back(const Seat& who = {}) noexcept {
    if (engine_ == nullptr) return;
    if (tenant_ != nullptr || engine_->is_apart() || function_->is_apart())
        [[unlikely]] {
      return give_all_back(who.worker());
    }
    std::exchange(engine_, nullptr)->leave_plainly();
    function_->leave_plainly();
  }

 private:
  HOTPLATE_NOINLINE void give_all_back(std::size_t worker) noexcept {
    std::exchange(engine_, nullptr)->leave(worker);
    function_->leave(worker);
    if (tenant_ != nullptr) std::exchange(tenant_, nullptr)->leave(worker);
  }

  gate* engine_ = nullptr;
  gate* function_ = nullptr;
  gate* tenant_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/admission/apart.hpp"
