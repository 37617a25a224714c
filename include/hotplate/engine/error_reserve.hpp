#pragma once

#include <cstddef>
#include <new>
#include <string>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/outcome.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Errors made ahead, for when there is no memory for one: to be told so takes
/// memory, too. Filled up again as soon as there is some. Once all are in use,
/// there is one more for each code, for any number of outcomes, which can say
/// no more than that.
/// Thread safety: all members may be called from any thread.
class error_reserve {
 public:
  error_reserve() : last_(new last_errors) {
    for (std::size_t i = 0; i < errc_count; ++i) {
      made_error& each = last_->by_code[i];
      each.code = static_cast<errc>(i);
      each.message.append(to_string(each.code));
      each.message.append(": the host has no memory to say more");
      each.shared = last_.get();
    }
    kept_.reserve(most);
    while (kept_.size() < most) kept_.push_back(make_owned<made_error>());
  }
  error_reserve(const error_reserve&) = delete;
  error_reserve& operator=(const error_reserve&) = delete;
  ~error_reserve() { last_.release()->leave(); }

  /// Null only when as many are in use as were kept.
  owned<made_error> make() noexcept {
    owned<made_error> made(new (std::nothrow) made_error);
    if (made == nullptr) return take();
    if (wanting_.load(std::memory_order_relaxed)) fill();
    return made;
  }

  /// The one of that code. Takes no lock, and may be called in a forked child.
  owned<const made_error> share(errc code) const noexcept {
    last_->enter();
    return owned<const made_error>(
        &last_->by_code[static_cast<std::size_t>(code)]);
  }

 private:
  static constexpr std::size_t most = 64;  // Some 10 KiB an engine.

  owned<made_error> take() noexcept {
    const lock_guard hold(lock_);
    if (kept_.empty()) return nullptr;
    wanting_.store(true, std::memory_order_relaxed);
    return kept_.take_last();
  }

  void fill() noexcept {
    const lock_guard hold(lock_);
    while (kept_.size() < most) {
      owned<made_error> made(new (std::nothrow) made_error);
      if (made == nullptr) return;
      kept_.push_back(std::move(made));  // Has room.
    }
    wanting_.store(false, std::memory_order_relaxed);
  }

  owned<last_errors> last_;
  lock lock_;  // Guards what follows.
  owned_list<made_error> kept_;
  // Written under the lock; who reads it late fills up a little later.
  std::atomic<bool> wanting_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
