#pragma once

#include <cstddef>
#include <new>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/error.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Errors made ahead, for when there is no memory for one: to be told so takes
/// memory, too. Filled up again as soon as there is some.
/// Thread safety: all members may be called from any thread.
class error_reserve {
 public:
  error_reserve() {
    kept_.reserve(most);
    while (kept_.size() < most) kept_.push_back(make_owned<error>());
  }

  /// Null only when as many are in use as were kept.
  owned<error> make() noexcept {
    owned<error> made(new (std::nothrow) error);
    if (made == nullptr) return take();
    if (wanting_.load(std::memory_order_relaxed)) fill();
    return made;
  }

 private:
  static constexpr std::size_t most = 64;  // Some 10 KiB an engine.

  owned<error> take() noexcept {
    const lock_guard hold(lock_);
    if (kept_.empty()) return nullptr;
    wanting_.store(true, std::memory_order_relaxed);
    return kept_.take_last();
  }

  void fill() noexcept {
    const lock_guard hold(lock_);
    while (kept_.size() < most) {
      owned<error> made(new (std::nothrow) error);
      if (made == nullptr) return;
      kept_.push_back(std::move(made));  // Has room.
    }
    wanting_.store(false, std::memory_order_relaxed);
  }

  lock lock_;  // Guards what follows.
  owned_list<error> kept_;
  // Written under the lock; who reads it late fills up a little later.
  std::atomic<bool> wanting_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
