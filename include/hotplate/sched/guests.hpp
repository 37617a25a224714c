#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/base/owned.hpp"
#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Plain workers for threads of the host that run a task themselves. Claimed
/// for each task anew: a slot that stayed with its thread would have to be
/// given back when that ends, maybe while the engine ends as well.
/// Thread safety: all members may be called from any thread.
class guests {
 public:
  guests(shared_sched& shared, std::size_t first_index, std::size_t most)
      : shared_(shared), first_index_(first_index), most_(most), slots_(most) {}
  guests(const guests&) = delete;
  guests& operator=(const guests&) = delete;
  ~guests() {
    for (std::size_t i = 0; i < most_; ++i) delete at(i);
  }

  /// Null if all are in use, or memory is out.
  worker* claim() noexcept {
    // Where this thread's stack is tells it from others, mostly.
    const std::size_t from = reinterpret_cast<std::uintptr_t>(&from) >> 16;
    for (std::size_t i = 0; i < most_; ++i) {
      slot& tried = slots_[(from + i) % most_];
      // acquire: pairs with the release in give_back().
      if (tried.taken.exchange(true, std::memory_order_acquire)) continue;
      worker* const own = tried.made.load(std::memory_order_relaxed);
      if (own != nullptr) [[likely]]
        return own;
      return make_(*this, tried);
    }
    return nullptr;
  }

  void give_back(worker& used) noexcept {
    slots_[used.index() - first_index_].taken.store(false,
                                                    std::memory_order_release);
  }

  std::size_t most() const noexcept { return most_; }
  /// Null if it was never needed.
  worker* at(std::size_t i) const noexcept {
    return slots_[i].made.load(std::memory_order_acquire);
  }

 private:
  struct alignas(cache_line) slot {
    std::atomic<bool> taken = false;
    std::atomic<worker*> made = nullptr;
  };

  static worker* make(guests& self, slot& empty) noexcept try {
    const auto i = static_cast<std::size_t>(&empty - self.slots_.get());
    auto* const made =
        new worker(self.shared_, self.first_index_ + i, worker_kind::plain);
    empty.made.store(made, std::memory_order_release);
    return made;
  } catch (const std::bad_alloc&) {
    empty.taken.store(false, std::memory_order_release);
    return nullptr;
  }

  shared_sched& shared_;
  const std::size_t first_index_;
  const std::size_t most_;
  const owned_array<slot> slots_;
  worker* (*const make_)(guests& self, slot& empty) noexcept = &make;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
