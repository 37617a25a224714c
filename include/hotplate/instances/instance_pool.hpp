#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "hotplate/instances/instance.hpp"
#include "hotplate/registry/registry.hpp"
#include "hotplate/sched/scheduler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The instances of one version: warm ones are used again last in, first out,
/// and evicted from the other end once unused for the keep-alive time.
/// The one that a worker gave back last lies on that worker's own place, from
/// where it takes it again without the lock; the others are in a list.
/// Thread safety: all members may be called from any thread.
/// I1: an instance is idle, in a place or in the list, or it is on loan.
/// I2: while one is idle, the timer is armed or the sweep is queued, or whoever
///     gave it back is about to see to that: `calm_` is false.
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
    retire_list(take_idle_since(forever, clock_.now()));
    delete[] places_.load(std::memory_order_relaxed);
  }

  /// The instance used last, this worker's own first; null if none is warm.
  instance* take_warm(std::size_t worker, std::int64_t now) noexcept {
    // acquire: pairs with the release in make_places().
    place* const places = places_.load(std::memory_order_acquire);
    if (places == nullptr) [[unlikely]]
      return take_any(now);
    place& own = places[worker];
    instance* const found = own.take();
    if (found == nullptr) [[unlikely]]
      return take_any(now);
    add(own.idle,
        static_cast<std::uint64_t>(idle_time(found->idle_since, now)));
    return found;
  }

  /// A new one, initialised by the handler's own code: may throw anything.
  instance* make() {
    const handler& how = version_.how;
    instance* const made = allocate_instance(how);
    try {
      init_context ctx(function_, version_.number, version_.config);
      if (how.state_size == 0) {
        made->state = how.prototype.get();
      } else {
        how.init(made->state, how.prototype.get(), ctx);
      }
    } catch (...) {
      free_instance(made, how);
      throw;
    }
    live_.fetch_add(1, std::memory_order_relaxed);
    return made;
  }

  void put_back(instance& used, std::size_t worker, std::int64_t now) noexcept {
    place* const places = places_.load(std::memory_order_acquire);
    if (places == nullptr) [[unlikely]]
      return put_first(used, now);
    used.idle_since = now;
    instance* const before = places[worker].put(used, now);
    // seq_cst, after the seq_cst exchange in put(): either this sees that the
    // pool is not calm any more, or who made it so finds the instance.
    const bool calm = calm_.load(std::memory_order_seq_cst);
    if (before != nullptr || !calm) [[unlikely]]
      put_aside(before);
  }

  void retire(instance& gone) noexcept {
    if (version_.how.state_size != 0 && version_.how.destroy != nullptr) {
      version_.how.destroy(gone.state);
    }
    free_instance(&gone, version_.how);
    live_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// From now on no instance is kept: the idle ones go on a fiber, and each
  /// other one when it comes back.
  void close() noexcept {
    {
      const lock_guard hold(lock_);
      closed_ = true;
      calm_.store(false, std::memory_order_seq_cst);
    }
    // Without memory to queue it, the idle ones wait for their keep-alive time.
    if (version_.how.destroy != nullptr) {
      if (live() > 0) threads_.submit(*this);
      return;
    }
    threads_.timers().disarm(expiry_);
    sweep_now();
  }

  /// Instances are kept again.
  void open() noexcept {
    const lock_guard hold(lock_);
    closed_ = false;
  }

  std::uint64_t live() const noexcept {
    return live_.load(std::memory_order_relaxed);
  }

  /// Time that instances have spent idle, up to `now`.
  std::int64_t idle(std::int64_t now) const noexcept {
    const lock_guard hold(lock_);
    std::int64_t sum = idle_;
    for (const instance* at = list_.newest(); at != nullptr; at = at->older) {
      sum += idle_time(at->idle_since, now);
    }
    for (const place& each : all_places()) {
      sum += static_cast<std::int64_t>(read(each.idle));
      if (each.newest.load(std::memory_order_acquire) == nullptr) continue;
      sum += idle_time(each.put_at.load(std::memory_order_relaxed), now);
    }
    return sum;
  }

 private:
  std::span<place> all_places() const noexcept {
    place* const all = places_.load(std::memory_order_acquire);
    return {all, all == nullptr ? 0 : threads_.size()};
  }

  instance* take_any(std::int64_t now) noexcept {
    const lock_guard hold(lock_);
    if (instance* const found = list_.newest()) {
      list_.unlink(*found);
      idle_ += idle_time(found->idle_since, now);
      return found;
    }
    for (place& other : all_places()) {
      if (instance* const found = other.take()) {
        idle_ += idle_time(found->idle_since, now);
        return found;
      }
    }
    return nullptr;
  }

  // Places are made when an instance comes back for the second time: most
  // functions of a host with many are not invoked that often.
  HOTPLATE_NOINLINE void put_first(instance& used, std::int64_t now) noexcept {
    used.idle_since = now;
    const bool again = came_back_.exchange(true, std::memory_order_relaxed);
    if (again && keep_alive_ > 0) make_places();
    put_aside(&used);
  }

  void make_places() noexcept {
    const lock_guard hold(lock_);
    if (places_.load(std::memory_order_relaxed) != nullptr) return;
    // release: publishes the empty places; without memory, the list will do.
    places_.store(new (std::nothrow) place[threads_.size()],
                  std::memory_order_release);
  }

  HOTPLATE_NOINLINE void put_aside(instance* idle) noexcept {
    instance* gone = nullptr;
    {
      const lock_guard hold(lock_);
      if (idle != nullptr) list_.link(*idle);
      if (closed_ || keep_alive_ == 0 || !keep_calm()) {
        gone = take_idle_since(forever, clock_.now());
      }
    }
    retire_list(gone);
  }

  // Under the lock: arms the timer for the oldest, if one is idle. False if
  // there is no memory for that.
  bool keep_calm() noexcept {
    calm_.store(true, std::memory_order_seq_cst);
    const std::int64_t oldest = oldest_idle();
    if (oldest == forever) {
      calm_.store(false, std::memory_order_seq_cst);
      // One may just have come, and have seen the pool calm.
      if (oldest_idle() == forever) return true;
      return keep_calm();
    }
    if (armed_) return true;
    armed_ =
        threads_.arm(expiry_, oldest + keep_alive_, timer_order::keep_alive);
    if (!armed_) calm_.store(false, std::memory_order_seq_cst);
    return armed_;
  }

  std::int64_t oldest_idle() const noexcept {
    std::int64_t oldest =
        list_.oldest() != nullptr ? list_.oldest()->idle_since : forever;
    for (const place& each : all_places()) {
      if (each.newest.load(std::memory_order_seq_cst) == nullptr) continue;
      oldest = std::min(oldest, each.put_at.load(std::memory_order_relaxed));
    }
    return oldest;
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
    instance* gone = nullptr;
    {
      const lock_guard hold(lock_);
      armed_ = false;
      const std::int64_t now = clock_.now();
      gone = take_idle_since(closed_ ? forever : now - keep_alive_, now);
      if (!closed_ && !keep_calm()) {
        retire_later(gone, take_idle_since(forever, now));
      }
    }
    retire_list(gone);
  }

  static void retire_later(instance*& list, instance* more) noexcept {
    while (more != nullptr) {
      instance* const next = more->older;
      more->older = std::exchange(list, more);
      more = next;
    }
  }

  // Under the lock: a list, by `older`, of all that are idle since `latest`.
  instance* take_idle_since(std::int64_t latest, std::int64_t now) noexcept {
    for (place& each : all_places()) {
      if (each.put_at.load(std::memory_order_relaxed) > latest) continue;
      if (instance* const idle = each.take()) list_.link(*idle);
    }
    instance* taken = nullptr;
    for (instance* gone = list_.oldest();
         gone != nullptr && gone->idle_since <= latest; gone = list_.oldest()) {
      list_.unlink(*gone);
      idle_ += std::min(keep_alive_, idle_time(gone->idle_since, now));
      gone->older = std::exchange(taken, gone);
    }
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

  // Written under the lock, in make_places(): once.
  std::atomic<place*> places_ = nullptr;
  // Written under the lock: an idle instance may be left to the timer.
  std::atomic<bool> calm_ = false;
  std::atomic<bool> came_back_ = false;
  std::atomic<std::uint64_t> live_ = 0;  // Counts only.

  mutable lock lock_;  // Guards everything below, and what idles.
  instance_list list_;
  std::int64_t idle_ = 0;
  timer expiry_;
  bool armed_ = false;
  bool closed_ = false;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
