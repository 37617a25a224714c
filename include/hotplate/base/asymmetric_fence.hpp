#pragma once

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "hotplate/base/assert.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Two threads that each write something and then look at what the other has
/// written: with light() between the two in one thread and heavy() in the
/// other, at least one of them sees it. Who passes often takes the light half,
/// which is no instruction but a load; the kernel then interrupts it for the
/// other. Thread safety: all members may be called from any thread.
/// I1: armed_ changes once, after the kernel has agreed. A light() that finds
///     it set comes after that; a heavy() that does not comes before it in the
///     one order of all fences, so that what was written before is seen.
/// Stress: tests/stress/asymmetric_fence_stress_test.cpp
class asymmetric_fence {
 public:
  /// Before this, or where the kernel refuses it (seccomp, before Linux 4.14),
  /// both halves are fences. The first in a process that has threads takes some
  /// 10 ms.
  void arm() noexcept {
#if !defined(HOTPLATE_TSAN)  // Which knows nothing of the kernel's barriers.
    if (armed() || !ask(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED)) return;
    armed_.store(true, std::memory_order_seq_cst);
    std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
  }
  bool armed() const noexcept { return armed_.load(std::memory_order_relaxed); }

  void light() const noexcept {
    // acquire: pairs with the store in arm(), for I1.
    if (armed_.load(std::memory_order_acquire)) [[likely]] {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    } else {
      std::atomic_thread_fence(std::memory_order_seq_cst);
    }
  }

  /// A system call, of 0.3 us and 10 us for threads of this process that are
  /// running elsewhere.
  HOTPLATE_NOINLINE void heavy() const noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (!armed_.load(std::memory_order_seq_cst)) return;
    if (ask(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
    // Refused only now, by a filter that came later: no processor keeps what
    // was written to itself for as long as this.
    constexpr timespec long_enough{0, 1'000'000};
    nanosleep(&long_enough, nullptr);
  }

 private:
  static bool ask(int command) noexcept {
    return syscall(SYS_membarrier, command, 0, 0) == 0;
  }

  std::atomic<bool> armed_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
