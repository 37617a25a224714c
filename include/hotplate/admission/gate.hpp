#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/cache_line.hpp"
#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A concurrency limit: never more than `limit` inside, not for an instant, and
/// nobody is refused while there is room.
/// Thread safety: all members may be called from any thread.
class alignas(cache_line) gate {
 public:
  explicit gate(std::int64_t limit) noexcept : limit_(limit) {}

  HOTPLATE_INLINE bool try_enter() noexcept {
    std::int64_t inside = inside_.load(std::memory_order_relaxed);
    const std::int64_t limit = limit_.load(std::memory_order_relaxed);
    do {
      if (inside >= limit) return false;
      // Not fetch_add and take back: for that instant others would be refused.
      // acquire: sees what those who left did; pairs with leave(). seq_cst:
      // who enters looks next whether the function was removed; core::is_gone()
    } while (!inside_.compare_exchange_weak(inside, inside + 1,
                                            std::memory_order_seq_cst,
                                            std::memory_order_relaxed));
    if (inside >= peak_.load(std::memory_order_relaxed)) [[unlikely]] {
      raise_peak(inside + 1);
    }
    return true;
  }

  /// seq_cst: who leaves looks next for who waits; see waiting_room.
  void leave() noexcept { inside_.fetch_sub(1, std::memory_order_seq_cst); }

  std::int64_t inside() const noexcept {
    return inside_.load(std::memory_order_acquire);
  }
  std::int64_t peak() const noexcept {
    return peak_.load(std::memory_order_relaxed);
  }
  std::int64_t limit() const noexcept {
    return limit_.load(std::memory_order_relaxed);
  }
  /// A lower one sends nobody out; it refuses until enough have left.
  void set_limit(std::int64_t limit) noexcept {
    // seq_cst: who then sees nobody too many inside will never see it.
    limit_.store(limit, std::memory_order_seq_cst);
  }
  /// Lowers the limit, unless there are more inside already.
  bool try_lower(std::int64_t limit) noexcept {
    const std::int64_t before = limit_.exchange(limit);
    if (inside_.load(std::memory_order_seq_cst) <= limit) return true;
    limit_.store(before);
    return false;
  }

 private:
  HOTPLATE_NOINLINE void raise_peak(std::int64_t seen) noexcept {
    std::int64_t peak = peak_.load(std::memory_order_relaxed);
    while (peak < seen && !peak_.compare_exchange_weak(
                              peak, seen, std::memory_order_relaxed)) {
    }
  }

  // Whoever enters or leaves writes these.
  std::atomic<std::int64_t> inside_ = 0;
  std::atomic<std::int64_t> peak_ = 0;
  std::atomic<std::int64_t> limit_;
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
  HOTPLATE_INLINE const gate* enter(gate& engine, gate& function) noexcept {
    if (!function.try_enter()) return &function;
    if (!engine.try_enter()) {
      function.leave();
      return &engine;
    }
    engine_ = &engine;
    function_ = &function;
    return nullptr;
  }

  const gate* enter(gate& engine, gate& function, gate& tenant) noexcept {
    if (!tenant.try_enter()) return &tenant;
    const gate* const full = enter(engine, function);
    if (full != nullptr) {
      tenant.leave();
    } else {
      tenant_ = &tenant;
    }
    return full;
  }

  void give_back() noexcept {
    if (engine_ == nullptr) return;
    engine_->leave();
    function_->leave();
    if (tenant_ != nullptr) [[unlikely]]
      std::exchange(tenant_, nullptr)->leave();
    engine_ = nullptr;
  }

 private:
  gate* engine_ = nullptr;
  gate* function_ = nullptr;
  gate* tenant_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
