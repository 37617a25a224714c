#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include "hotplate/registry/registry.hpp"
#include "hotplate/sched/scheduler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// An initialised handler object: an execution environment. Its state follows
/// it in memory.
struct instance {
  instance* newer = nullptr;  // Towards the one used last.
  instance* older = nullptr;
  std::int64_t idle_since = 0;
  void* state = nullptr;
};

/// The instances of one version: warm ones are used again last in, first out,
/// and evicted from the other end once unused for the keep-alive time.
/// Thread safety: all members may be called from any thread.
/// I1: an instance is idle, and in the list, or on loan; never both.
/// I2: while the list is not empty, the timer is armed or the sweep is queued.
class instance_pool : private task {
 public:
  instance_pool(const version_record& version, std::string_view function,
                scheduler& threads, clock_source& time) noexcept
      : version_(version),
        function_(function),
        threads_(threads),
        clock_(time),
        keep_alive_(
            std::chrono::nanoseconds(version.config.keep_alive).count()) {
    task::run = &sweep;
    task::refuse = [](task& self, worker& on) noexcept { sweep(self, on); };
    task::stack_class = stack_pool::class_of(version.config.stack_bytes);
    expiry_.fire = &queue_sweep;
    expiry_.target = this;
  }
  instance_pool(const instance_pool&) = delete;
  instance_pool& operator=(const instance_pool&) = delete;
  ~instance_pool() {
    threads_.timers().disarm(expiry_);
    retire_all();
  }

  /// The instance used last; null if none is warm.
  instance* take_warm(std::int64_t now) noexcept {
    const lock_guard hold(lock_);
    instance* const found = newest_;
    if (found == nullptr) return nullptr;
    unlink(*found);
    if (now > found->idle_since) idle_ += now - found->idle_since;
    return found;
  }

  /// A new one, initialised by the handler's own code: may throw anything.
  instance* make() {
    const handler& how = version_.how;
    instance* const made = allocate(how);
    try {
      init_context ctx(function_, version_.number, version_.config.memory);
      if (how.state_size == 0) {
        made->state = how.prototype.get();
      } else {
        how.init(made->state, how.prototype.get(), ctx);
      }
    } catch (...) {
      release(made);
      throw;
    }
    live_.fetch_add(1, std::memory_order_relaxed);
    return made;
  }

  void put_back(instance& used, std::int64_t now) noexcept {
    {
      const lock_guard hold(lock_);
      if (!retired_ && keep_alive_ > 0) {
        link(used, now);
        if (armed_) return;
        armed_ = arm(now + keep_alive_);
        if (armed_) return;
        unlink(used);
      }
    }
    retire(used);
  }

  void retire(instance& gone) noexcept {
    if (version_.how.state_size != 0 && version_.how.destroy != nullptr) {
      version_.how.destroy(gone.state);
    }
    release(&gone);
    live_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Retires the idle ones now, and each other one when it comes back.
  void retire_all() noexcept { retire_list(take_idle_since(forever, true)); }

  std::uint64_t live() const noexcept {
    return live_.load(std::memory_order_relaxed);
  }

  /// Time that instances have spent idle, up to `now`.
  std::int64_t idle(std::int64_t now) const noexcept {
    const lock_guard hold(lock_);
    std::int64_t sum = idle_;
    for (const instance* at = newest_; at != nullptr; at = at->older) {
      sum += now - at->idle_since;
    }
    return sum;
  }

 private:
  static std::size_t state_offset(const handler& how) noexcept {
    return how.state_size == 0 ? sizeof(instance)
                               : (sizeof(instance) + how.state_alignment - 1) /
                                     how.state_alignment * how.state_alignment;
  }
  static std::align_val_t alignment(const handler& how) noexcept {
    return std::align_val_t{how.state_alignment > alignof(instance)
                                ? how.state_alignment
                                : alignof(instance)};
  }

  instance* allocate(const handler& how) {
    const std::size_t offset = state_offset(how);
    void* const memory =
        ::operator new(offset + how.state_size, alignment(how));
    auto* const made = new (memory) instance;
    made->state = static_cast<std::byte*>(memory) + offset;
    return made;
  }
  void release(instance* gone) noexcept {
    ::operator delete(gone, alignment(version_.how));
  }

  void link(instance& used, std::int64_t now) noexcept {
    used.idle_since = now;
    used.newer = nullptr;
    used.older = newest_;
    *(newest_ == nullptr ? &oldest_ : &newest_->newer) = &used;
    newest_ = &used;
  }
  void unlink(instance& used) noexcept {
    *(used.newer == nullptr ? &newest_ : &used.newer->older) = used.older;
    *(used.older == nullptr ? &oldest_ : &used.older->newer) = used.newer;
  }

  bool arm(std::int64_t when) noexcept {
    return threads_.arm(expiry_, when, timer_order::keep_alive);
  }

  // User code runs on fibers only, so the timer just queues the sweep.
  static void queue_sweep(void* target, std::uint64_t, std::int64_t) noexcept {
    auto& pool = *static_cast<instance_pool*>(target);
    if (!pool.threads_.submit(pool)) pool.sweep_now();
  }
  static fiber* sweep(task& self, worker&) noexcept {
    static_cast<instance_pool&>(self).sweep_now();
    return nullptr;
  }

  void sweep_now() noexcept {
    retire_list(take_idle_since(clock_.now() - keep_alive_, false));
  }

  instance* take_idle_since(std::int64_t latest, bool for_good) noexcept {
    const lock_guard hold(lock_);
    retired_ = retired_ || for_good;
    instance* taken = nullptr;
    while (oldest_ != nullptr && oldest_->idle_since <= latest) {
      instance* const gone = oldest_;
      unlink(*gone);
      const std::int64_t until = for_good ? clock_.now() : latest + keep_alive_;
      idle_ += std::min(keep_alive_, until - gone->idle_since);
      gone->older = std::exchange(taken, gone);
    }
    armed_ = oldest_ != nullptr && arm(oldest_->idle_since + keep_alive_);
    return taken;
  }

  void retire_list(instance* gone) noexcept {
    while (gone != nullptr) retire(*std::exchange(gone, gone->older));
  }

  const version_record& version_;
  const std::string_view function_;
  scheduler& threads_;
  clock_source& clock_;
  const std::int64_t keep_alive_;

  mutable lock lock_;  // Guards everything below, but live_.
  instance* newest_ = nullptr;
  instance* oldest_ = nullptr;
  std::int64_t idle_ = 0;
  timer expiry_;
  bool armed_ = false;
  bool retired_ = false;
  std::atomic<std::uint64_t> live_ = 0;  // Counts only.
};

/// An instance on loan to one invocation. It goes back warm only when somebody
/// says so; destroying the lease retires it. Must not outlive its pool.
class [[nodiscard]] lease {
 public:
  lease() noexcept = default;
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;
  ~lease() { give_back(0, false); }

  void hold(instance_pool& lender, instance& on_loan) noexcept {
    lender_ = &lender;
    instance_ = &on_loan;
  }

  void* state() const noexcept { return instance_->state; }

  void give_back(std::int64_t now, bool warm) noexcept {
    if (lender_ == nullptr) return;
    warm ? lender_->put_back(*instance_, now) : lender_->retire(*instance_);
    lender_ = nullptr;
  }

 private:
  instance_pool* lender_ = nullptr;
  instance* instance_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
