#pragma once

#include "hotplate/version.hpp"

#if defined(HOTPLATE_CHECKED)
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#endif

// Handles are of no use once their engine has ended, and pendings must not be
// left. In builds with assertions each is on a leash, and whoever uses one that
// has lost its engine, or destroys such a pending, is told so, instead of
// crashing somewhere; in others a leash is nothing.

namespace hotplate::inline HOTPLATE_ABI::detail {

#if defined(HOTPLATE_CHECKED)

/// The engine's end of all leashes: lost when it is destroyed.
class leash_post {
 public:
  leash_post() : shared_(new state) {}
  leash_post(const leash_post&) = delete;
  leash_post& operator=(const leash_post&) = delete;
  ~leash_post() {
    shared_->lost.store(true, std::memory_order_release);
    shared_->drop();
  }

 private:
  friend class leash;
  struct state {
    std::atomic<bool> lost = false;
    std::atomic<std::uint32_t> ends = 1;
    void drop() noexcept {
      if (ends.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
  };
  state* const shared_;
};

/// The other end. Thread safety: as an int's.
class leash {
 public:
  leash() noexcept = default;
  explicit leash(const leash_post& at) noexcept : shared_(at.shared_) {
    hold();
  }
  leash(const leash& other) noexcept : shared_(other.shared_) { hold(); }
  leash(leash&& other) noexcept
      : shared_(std::exchange(other.shared_, nullptr)) {}
  leash& operator=(leash other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~leash() {
    if (shared_ != nullptr) shared_->drop();
  }

  /// Ends the process if the engine has ended; `what` was `done` to.
  void check(const char* what, const char* done) const noexcept {
    if (shared_ == nullptr) return;
    if (!shared_->lost.load(std::memory_order_acquire)) return;
    std::fprintf(stderr, "hotplate: a %s was %s after its engine had ended\n",
                 what, done);
    std::abort();
  }

 private:
  void hold() noexcept {
    if (shared_ == nullptr) return;
    shared_->ends.fetch_add(1, std::memory_order_relaxed);
  }

  leash_post::state* shared_ = nullptr;
};

#else

struct leash_post {
  leash_post() noexcept {}
};

struct leash {
  leash() noexcept = default;
  explicit leash(const leash_post&) noexcept {}
  static void check(const char*, const char*) noexcept {}
};

#endif

}  // namespace hotplate::inline HOTPLATE_ABI::detail
