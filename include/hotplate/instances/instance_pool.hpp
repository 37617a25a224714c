#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hotplate/describe.hpp"
#include "hotplate/instances/idle_set.hpp"
#include "hotplate/instances/maker.hpp"
#include "hotplate/instances/reserved_time.hpp"
#include "hotplate/sched/scheduler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The instances of one version: warm ones are used again last in, first out,
/// and go from the other end once unused for the keep-alive time; provisioned
/// ones are made ahead. The one that a worker gave back last it takes again
/// without the lock.
/// Thread safety: all members may be called from any thread, those that may
/// make or end instances on a fiber.
/// I1: an instance is being made, idle, on loan (these are `live_`) or ending.
/// I2: while one is idle that may expire, the timer is armed or work is queued,
///     or whoever gave it back is about to see to that: `calm_` is false.
/// I3: live_ + ending_ never exceeds the function's max_instances.
/// I4: of those in all_, as many count as provisioned as the function wants,
///     or all; those that were made ahead before others.
class instance_pool : private task {
 public:
  static constexpr std::size_t timers = 2;  ///< Armed at once, at most.

  instance_pool(const version_record& version, std::string_view function,
                std::uint8_t stacks, scheduler& threads,
                clock_source& time) noexcept
      : config_(version.config),
        threads_(threads),
        clock_(time),
        keep_alive_(std::chrono::nanoseconds(config_.keep_alive).count()),
        floor_(std::max(config_.min_instances, config_.provisioned)),
        maker_(version, function),
        idle_(threads.size()) {
    task::run = &work;
    task::refuse = [](task& self, worker&) noexcept {
      static_cast<instance_pool&>(self).try_again();
    };
    task::name = [](const task& self) noexcept {
      return static_cast<const instance_pool&>(self).maker_.function();
    };
    task::stack_class = stacks;
    expiry_.fire = refill_.fire = &queue_work;
    expiry_.target = refill_.target = this;
  }
  instance_pool(const instance_pool&) = delete;
  instance_pool& operator=(const instance_pool&) = delete;
  ~instance_pool() {
    threads_.timers().disarm(expiry_);
    threads_.timers().disarm(refill_);
    closed_ = true;
    retire_list(take_idle_since(forever), retire_reason::shutdown);
  }

  /// The one that this worker used last; null if it is not there.
  instance* take_own(std::size_t worker, std::int64_t now) noexcept {
    place* const own = idle_.own(worker);
    if (own == nullptr) [[unlikely]]
      return nullptr;
    instance* const found = own->take();
    if (found == nullptr) [[unlikely]]
      return nullptr;
    add(own->idle,
        static_cast<std::uint64_t>(idle_time(found->idle_since, now)));
    return found;
  }

  /// Any other one that is idle, or null; `start` is then how it is found.
  instance* take_any(std::int64_t now, start_kind& start) noexcept;

  /// Room for one more, which make() must then be called for. False if there
  /// are max_instances.
  bool reserve() noexcept {
    const lock_guard hold(lock_);
    return add_live();
  }

  /// How make() will do it, as far as can be told.
  start_kind next_start() const noexcept { return maker_.next(); }

  /// A new one, by the handler's own code: may throw anything.
  instance* make(bool ahead = false) {
    try {
      instance* const made = maker_.make();
      made->made_at = clock_.now();
      made->made_ahead = ahead;
      const lock_guard hold(lock_);
      all_.add(*made);
      count_in(*made);
      return made;
    } catch (...) {
      const lock_guard hold(lock_);
      --live_;
      throw;
    }
  }

  void put_back(instance& used, std::size_t worker, std::int64_t now) noexcept {
    const std::int64_t left =
        used.uses_left.load(std::memory_order_relaxed) - 1;
    used.uses_left.store(left, std::memory_order_relaxed);
    if (left == 0) [[unlikely]]
      return retire(used, retire_reason::used_up);
    used.idle_since = now;
    place* const own = idle_.own(worker);
    if (own == nullptr) [[unlikely]]
      return put_first(used);
    instance* const before = own->put(used, now);
    // seq_cst, after the seq_cst exchange in put(): either this sees that the
    // pool is not calm any more, or who made it so finds the instance.
    const bool calm = calm_.load(std::memory_order_seq_cst);
    if (before != nullptr || !calm) [[unlikely]]
      put_aside(before);
  }

  /// One that is not idle.
  HOTPLATE_NOINLINE void retire(instance& gone, retire_reason why) noexcept {
    {
      const lock_guard hold(lock_);
      strike_off(gone);
      --live_;
      ++ending_;
    }
    gone.older = nullptr;
    retire_list(&gone, why);
  }

  /// From now on instances are kept, and made ahead.
  void open() noexcept {
    bool lacking = false;
    {
      const lock_guard hold(lock_);
      closed_ = false;
      if (config_.provisioned > 0) reserved_.begin(clock_.now());
      lacking = lacks_any();
    }
    maker_.want_snapshot();
    if (lacking) queue_work();
  }

  /// From now on none is kept: the idle ones end on a fiber, and each other one
  /// when it comes back. False if there is no memory to queue that; they then
  /// wait for their keep-alive time.
  bool close(retire_reason why) noexcept {
    {
      const lock_guard hold(lock_);
      closed_ = true;
      closed_for_ = why;
      reserved_.end(clock_.now());
      calm_.store(false, std::memory_order_seq_cst);
    }
    threads_.timers().disarm(refill_);
    if (!maker_.ends_silently()) return threads_.submit(*this);
    threads_.timers().disarm(expiry_);
    sweep();
    return true;
  }

  /// Instances that exist: being made, idle, on loan or ending.
  std::uint64_t live() const noexcept {
    const lock_guard hold(lock_);
    return static_cast<std::uint64_t>(live_ + ending_);
  }

  /// Those that are initialised and not retired.
  template <int = 0>
  std::vector<instance_info> list(std::int64_t now) const {
    std::vector<instance_info> seen;
    const lock_guard hold(lock_);
    for (instance* each = all_.first(); each != nullptr; each = each->next) {
      each->noted_since = forever;
    }
    idle_.note();
    for (instance* each = all_.first(); each != nullptr; each = each->next) {
      seen.push_back(maker_.info_of(*each, now));
    }
    return seen;
  }

  /// Nothing is left that the handler's code made.
  bool is_empty() const noexcept {
    return live() == 0 && !maker_.has_snapshot();
  }

  /// Time that instances have spent idle, up to `now`.
  std::int64_t idle(std::int64_t now) const noexcept {
    const lock_guard hold(lock_);
    return idle_.spent(now);
  }

  /// Calls see(time, ended) for each time that instances were reserved, up to
  /// `now`.
  template <typename See>
  void see_reserved(std::int64_t now, const See& see) const {
    const lock_guard hold(lock_);
    reserved_.see_all(now, see);
  }

 private:
  // Places are made when an instance comes back for the second time: most
  // functions of a host with many are not invoked that often.
  HOTPLATE_NOINLINE void put_first(instance& used) noexcept {
    const bool again = came_back_.exchange(true, std::memory_order_relaxed);
    if (again && keep_alive_ > 0) {
      const lock_guard hold(lock_);
      idle_.make_places();
    }
    put_aside(&used);
  }

  HOTPLATE_NOINLINE void put_aside(instance* back) noexcept {
    instance* gone = nullptr;
    retire_reason why = retire_reason::expired;
    {
      const lock_guard hold(lock_);
      if (back != nullptr) idle_.add(*back);
      if (closed_) why = closed_for_;
      if (closed_ || keep_alive_ == 0 || !keep_calm()) {
        gone = take_idle_since(forever);
      }
    }
    retire_list(gone, why);
  }

  // Under the lock: one more exists, unless they are max_instances. One that
  // was too few to expire may not be any more.
  bool add_live() noexcept {
    const std::int64_t most = config_.max_instances;
    if (most > 0 && live_ + ending_ >= most) return false;
    if (++live_ > floor_ && !armed_) {
      calm_.store(false, std::memory_order_seq_cst);
    }
    return true;
  }

  // --- sweep.hpp
  bool keep_calm() noexcept;
  static void queue_work(void* target, std::uint64_t, std::int64_t) noexcept;
  void queue_work() noexcept;
  void try_again() noexcept;
  static fiber* work(task& self, worker&) noexcept;
  void sweep() noexcept;
  instance* take_idle_since(std::int64_t latest) noexcept;
  void retire_list(instance* gone, retire_reason why) noexcept;

  // --- provision.hpp
  void count_in(instance& made) noexcept;
  void count_out(instance& other) noexcept;
  void strike_off(instance& gone) noexcept;
  bool lacks_any() const noexcept;
  bool reserve_ahead() noexcept;
  bool make_ahead() noexcept;
  void pause() noexcept;
  void fill() noexcept;
  static constexpr std::int64_t first_pause = 1'000'000'000;
  static constexpr std::int64_t longest_pause = 64 * first_pause;

  const function_config& config_;
  scheduler& threads_;
  clock_source& clock_;
  const std::int64_t keep_alive_;
  const std::int64_t floor_;  // What does not expire.
  instance_maker maker_;

  // Written under the lock: an idle instance may be left to the timer.
  std::atomic<bool> calm_ = false;
  std::atomic<bool> came_back_ = false;

  mutable lock lock_;  // Guards everything below, and what idles.
  idle_set idle_;
  instance_roll all_;  // Initialised, not ending.
  reserved_time reserved_;
  std::int64_t counted_ = 0;  // Those that count as provisioned.
  std::int64_t live_ = 0;
  std::int64_t ending_ = 0;
  timer expiry_;
  bool armed_ = false;
  bool closed_ = true;  // Until open().
  retire_reason closed_for_ = retire_reason::removed;
  timer refill_;
  std::int64_t not_before_ = 0;  // After an init that failed, ahead.
  std::int64_t pause_ = first_pause;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/instances/provision.hpp"
#include "hotplate/instances/sweep.hpp"
