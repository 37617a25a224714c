#pragma once

#include <atomic>
#include <cstdint>

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The instances of an engine that are ending: they have been given up, and
/// what they hold is free once they are gone. Who lacks that waits for them.
/// Thread safety: all members may be called from any thread.
class instance_ends {
 public:
  /// `tell(of)` hears of each end, and must wake whoever waits for one.
  instance_ends(void (*tell)(void* of) noexcept, void* of) noexcept
      : tell_(tell), of_(of) {}

  void begin() noexcept { ending_.fetch_add(1, std::memory_order_relaxed); }
  /// It is not ending after all.
  void undo() noexcept { ending_.fetch_sub(1, std::memory_order_relaxed); }
  void finish(std::int64_t count) noexcept {
    ending_.fetch_sub(count, std::memory_order_relaxed);
    // release: who sees that they ended finds what they held.
    ended_.fetch_add(1, std::memory_order_release);
    tell_(of_);
  }

  bool any() const noexcept {
    return ending_.load(std::memory_order_relaxed) > 0;
  }
  /// Changes with each end.
  std::uint64_t ended() const noexcept {
    return ended_.load(std::memory_order_acquire);
  }

 private:
  void (*const tell_)(void* of) noexcept;
  void* const of_;
  std::atomic<std::int64_t> ending_ = 0;
  std::atomic<std::uint64_t> ended_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
