#pragma once

#include "hotplate/version.hpp"

#if defined(HOTPLATE_CHECKED)
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>
#endif

// Handles, mutexes and channels are of no use once their engine has ended, and
// pendings must not be left. In builds with assertions each is on a leash, and
// whoever uses one that has lost its engine, or destroys such a pending, is
// told so, instead of crashing somewhere; in others a leash is nothing.

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

  bool lost() const noexcept {
    return shared_ != nullptr && shared_->lost.load(std::memory_order_acquire);
  }
  /// Ends the process if the engine has ended; `what` was `done` to.
  void check(const char* what, const char* done) const noexcept {
    if (!lost()) return;
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

/// The life of what handlers wait for: tells who uses it when its engine has
/// ended, or it itself, and who destroys it while somebody waits.
class leashed {
 public:
  leashed(const leash_post& at, const char* what) noexcept
      : leash_(at), what_(what) {}
  leashed(const leashed&) = delete;
  leashed& operator=(const leashed&) = delete;

  void check_use() const noexcept {
    if (ended_.load(std::memory_order_relaxed)) die("used after it had ended");
    leash_.check(what_, "used");
  }
  /// By its destructor; `awaited()` tells whether anybody still waits, and is
  /// not asked once the engine has ended.
  template <typename Awaited>
  void end(const Awaited& awaited) noexcept {
    if (!leash_.lost() && awaited()) die("destroyed while somebody waited");
    ended_.store(true, std::memory_order_relaxed);
  }

 private:
  void die(const char* how) const noexcept {
    std::fprintf(stderr, "hotplate: a %s was %s\n", what_, how);
    std::abort();
  }

  leash leash_;
  const char* const what_;
  // Read by late users as well, of whatever is there then: a courtesy to bugs.
  std::atomic<bool> ended_ = false;
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

struct leashed {
  leashed(const leash_post&, const char*) noexcept {}
  static void check_use() noexcept {}
  template <typename Awaited>
  static void end(const Awaited&) noexcept {}
};

#endif

}  // namespace hotplate::inline HOTPLATE_ABI::detail
