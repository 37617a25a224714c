#pragma once

#include <atomic>
#include <cstdint>

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The instances of an engine that are ending: they have been given up, and
/// what they hold is free once they are gone. Who lacks that waits for them.
/// Thread safety: all members may be called from any thread.
/// I1: who waits says so, then looks for room, then waits unless some have
///     ended since. Whoever has made room looks then whether anybody waits.
class instance_ends {
 public:
  /// `tell(of)` hears of ends that somebody waits for, and must wake him. They
  /// are counted only where instances are ended for their memory.
  instance_ends(void (*tell)(void* of) noexcept, void* of, bool counts) noexcept
      : tell_(tell), of_(of), counts_(counts) {}

  void begin() noexcept {
    if (counts_) begun_.fetch_add(1, std::memory_order_relaxed);
  }
  void finish(std::int64_t count) noexcept {
    if (counts_) {
      // release: who sees that they are over finds what they held.
      over_.fetch_add(static_cast<std::uint64_t>(count),
                      std::memory_order_release);
      // The room was made without a lock.
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    if (waiting_.load(std::memory_order_seq_cst) == 0) return;
    told_.fetch_add(1, std::memory_order_release);
    tell_(of_);
  }

  struct moment {
    std::uint64_t told = 0;  // Changes with each end.
    std::uint64_t over = 0;
  };
  /// Before one looks for what is free: see below.
  moment now() const noexcept {
    return {told_.load(std::memory_order_acquire),
            over_.load(std::memory_order_acquire)};
  }
  /// Whether any was ending at some time since then.
  bool any_since(const moment& then) const noexcept {
    return begun_.load(std::memory_order_relaxed) != then.over;
  }
  /// Whether an end was told since then.
  bool told_since(const moment& then) const noexcept {
    return told_.load(std::memory_order_acquire) != then.told;
  }

  /// While it lives, somebody waits.
  class [[nodiscard]] wait {
   public:
    explicit wait(instance_ends& on) noexcept : on_(on) {
      on_.waiting_.fetch_add(1, std::memory_order_seq_cst);
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
    wait(const wait&) = delete;
    wait& operator=(const wait&) = delete;
    ~wait() { on_.waiting_.fetch_sub(1, std::memory_order_relaxed); }

   private:
    instance_ends& on_;
  };

 private:
  void (*const tell_)(void* of) noexcept;
  void* const of_;
  const bool counts_;
  std::atomic<std::int64_t> waiting_ = 0;
  std::atomic<std::uint64_t> begun_ = 0;
  std::atomic<std::uint64_t> over_ = 0;
  std::atomic<std::uint64_t> told_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
