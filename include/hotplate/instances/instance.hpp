#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/metering/histogram.hpp"
#include "hotplate/registry/handler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// An initialised handler object: an execution environment. Its state follows
/// it in memory.
struct instance {
  instance* newer = nullptr;  // Towards the one used last.
  instance* older = nullptr;
  std::int64_t idle_since = 0;
  void* state = nullptr;
};

inline std::align_val_t instance_alignment(const handler& how) noexcept {
  return std::align_val_t{how.state_alignment > alignof(instance)
                              ? how.state_alignment
                              : alignof(instance)};
}

/// Room for an instance and its state, which is not constructed yet.
inline instance* allocate_instance(const handler& how) {
  const std::size_t alignment = how.state_size == 0 ? 1 : how.state_alignment;
  const std::size_t offset =
      (sizeof(instance) + alignment - 1) / alignment * alignment;
  void* const memory =
      ::operator new(offset + how.state_size, instance_alignment(how));
  auto* const made = new (memory) instance;
  made->state = static_cast<std::byte*>(memory) + offset;
  return made;
}

inline void free_instance(instance* gone, const handler& how) noexcept {
  ::operator delete(gone, instance_alignment(how));
}

inline std::int64_t idle_time(std::int64_t since, std::int64_t now) noexcept {
  return now > since ? now - since : 0;
}

/// Idle instances by the time of their last use.
/// Thread safety: none.
class instance_list {
 public:
  instance* newest() const noexcept { return newest_; }
  instance* oldest() const noexcept { return oldest_; }

  // Whoever comes first: mostly, the newest.
  void link(instance& idle) noexcept {
    instance* newer = nullptr;
    instance* older = newest_;
    while (older != nullptr && older->idle_since > idle.idle_since) {
      newer = older;
      older = older->older;
    }
    idle.newer = newer;
    idle.older = older;
    *(newer == nullptr ? &newest_ : &newer->older) = &idle;
    *(older == nullptr ? &oldest_ : &older->newer) = &idle;
  }

  void unlink(instance& used) noexcept {
    *(used.newer == nullptr ? &newest_ : &used.newer->older) = used.older;
    *(used.older == nullptr ? &oldest_ : &used.older->newer) = used.newer;
  }

 private:
  instance* newest_ = nullptr;
  instance* oldest_ = nullptr;
};

/// Where one worker keeps the instance that it used last.
struct alignas(cache_line) place {
  // Its worker puts; its worker, and others under the pool's lock, take.
  std::atomic<instance*> newest = nullptr;
  // Written by its worker.
  std::atomic<std::int64_t> put_at = 0;
  tally idle{};

  instance* take() noexcept {
    // seq_cst: pairs with close(), which must find what came before it.
    if (newest.load(std::memory_order_seq_cst) == nullptr) return nullptr;
    // acquire: sees what its last invocation did; pairs with put().
    return newest.exchange(nullptr, std::memory_order_acq_rel);
  }
  /// Returns the one that lay there before.
  instance* put(instance& used, std::int64_t now) noexcept {
    put_at.store(now, std::memory_order_relaxed);
    return newest.exchange(&used, std::memory_order_seq_cst);
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
