#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hotplate/describe.hpp"
#include "hotplate/instances/budget.hpp"
#include "hotplate/instances/ends.hpp"
#include "hotplate/instances/idle_set.hpp"
#include "hotplate/instances/maker.hpp"
#include "hotplate/instances/nobody.hpp"
#include "hotplate/instances/reserved_time.hpp"
#include "hotplate/instances/shard.hpp"
#include "hotplate/keep_alive.hpp"
#include "hotplate/sched/scheduler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Why there is no new instance now: they are as many as the function may have,
/// the same but for those of them that are ending, or the budget is used up.
enum class shortage : std::uint8_t { none, instances, until_end, memory };

/// The instances of one version: warm ones are used again last in, first out,
/// and go from the other end once unused for the keep-alive time; provisioned
/// ones are made ahead. The one that a worker gave back last it takes again
/// without the lock, unless a policy is to be asked or several invocations may
/// share one.
/// Thread safety: all members may be called from any thread, those that may
/// make or end instances on a fiber.
/// I1: an instance is being made, idle, on loan (these are `live_`) or ending.
/// I2: while one is idle that may expire, the timer is armed or work is queued,
///     or whoever gave it back is about to see to that: `calm_` is false.
/// I3: live_ + ending_ + granted_ never exceeds the function's max_instances;
///     each that exists has claimed the function's memory of the engine's
///     budget. Where there are shards, they count those that they have made.
/// I4: with a budget, what I2 says of the timer holds for the pool's rank.
/// I5: of those in all_, as many count as provisioned as the function wants,
///     or all; those that were made ahead before others.
class instance_pool : private task {
 public:
  static constexpr std::size_t timers = 2;  ///< Armed at once, at most.

  instance_pool(const version_record& version, std::string_view function,
                std::uint8_t stacks, scheduler& threads, clock_source& time,
                instance_budget& budget, instance_ends& ends,
                instance_rooms& rooms) noexcept
      : config_(version.config),
        policy_(config_.keep_alive_by.get()),
        threads_(threads),
        clock_(time),
        budget_(budget),
        ends_(ends),
        keep_alive_(std::chrono::nanoseconds(config_.keep_alive).count()),
        floor_(std::max(config_.min_instances, config_.provisioned)),
        maker_(version, function, rooms),
        idle_(threads.seats()),
        shards_(threads.seats(), config_.max_instances > 0) {
    task::run = &work;
    task::refuse = [](task& self, worker&) noexcept {
      static_cast<instance_pool&>(self).try_again();
    };
    task::name = [](const task& self) noexcept {
      return static_cast<const instance_pool&>(self).maker_.function();
    };
    task::stack_class = stacks;
    expiry_.fire = refill_.fire = &queue_work;
    rank_.fire = &offer;
    expiry_.target = refill_.target = rank_.target = this;
  }
  instance_pool(const instance_pool&) = delete;
  instance_pool& operator=(const instance_pool&) = delete;
  ~instance_pool();  // sweep.hpp

  std::string_view function() const noexcept { return maker_.function(); }
  /// What runs where its instances are made ahead, or end.
  task& as_task() noexcept { return *this; }

  // Into the caches, what take_own() looks at; where the worker's part of it
  // is.
  void fetch() const noexcept { __builtin_prefetch(&idle_); }
  void fetch_own(std::size_t worker) const noexcept {
    __builtin_prefetch(idle_.own(worker), 1);
  }

  /// The one that this worker used last; null if it is not there.
  instance* take_own(std::size_t seat, std::int64_t now) noexcept {
    place* const own = idle_.own(seat);
    if (own == nullptr) [[unlikely]]
      return nullptr;
    instance* const found = own->take();
    if (found == nullptr) [[unlikely]]
      return nullptr;
    add(own->idle,
        static_cast<std::uint64_t>(idle_time(found->idle_since, now)));
    return found;
  }

  /// Any other one that is idle, or null; `how` is then how it is found.
  instance* take_any(std::int64_t now, start_kind& how) noexcept;

  // --- give_back.hpp
  // Returned are those that are to end, as a list by `older`.
  [[nodiscard]] instance* put_back(instance& used, std::size_t worker,
                                   std::int64_t now) noexcept;
  /// One that is not idle.
  [[nodiscard]] instance* doom(instance& gone, retire_reason why) noexcept;
  void retire(instance* gone) noexcept;  // sweep.hpp
  void retire_elsewhere(instance* gone) noexcept;

  // --- share.hpp
  bool is_shared() const noexcept { return config_.instance_concurrency > 1; }
  template <typename Over>
  instance* join(std::int64_t now, start_kind& how, instance*& loan,
                 const Over& is_over) noexcept;
  template <typename Over>
  void share(instance& made, instance*& loan, const Over& is_over) noexcept;
  [[nodiscard]] instance* put_shared(instance& used, instance*& loan,
                                     std::int64_t now, bool warm) noexcept;
  void spoil(instance*& loan) noexcept;

  // --- reserve.hpp
  [[nodiscard]] instance_shard* reserve_own(std::size_t worker) noexcept;
  shortage reserve() noexcept;
  void give_up_room(instance_shard* home = nullptr) noexcept;

  // --- evict.hpp
  bool make_room(worker& on, instance_ends::moment& seen) noexcept;

  /// Tells the policy, if there is one.
  void note(std::int64_t now, bool cold) const noexcept {
    if (!has_policy()) return;
    policy_->on_invoke(as_time(now), cold);
  }

  /// How make() will do it, as far as can be told.
  start_kind next_start() const noexcept { return maker_.next(); }

  /// A new one, in the room that was reserved, by the handler's own code: may
  /// throw anything.
  instance* make(instance_shard* home, bool ahead = false);  // reserve.hpp

  // --- sweep.hpp
  /// From now on instances are kept, and made ahead.
  void open() noexcept;
  /// From now on none is kept: the idle ones end on a fiber, and each other one
  /// when it comes back. False if there is no memory to queue that; they then
  /// wait for their keep-alive time.
  bool close(retire_reason why) noexcept;

  // --- list.hpp
  /// Instances that exist: being made, idle, on loan or ending.
  std::uint64_t live() const noexcept;
  /// Those that are initialised and not retired.
  template <int = 0>
  std::vector<instance_info> list(std::int64_t now) const;

  std::uint64_t evicted() const noexcept;
  std::uint64_t failed_ends() const noexcept { return maker_.failed_ends(); }

  /// Nothing is left that the handler's code made.
  bool is_empty() const noexcept {
    return live() == 0 && !maker_.has_snapshot();
  }

  /// Time that instances have spent idle, up to `now`.
  std::int64_t idle(std::int64_t now) const noexcept;

  /// Calls see(time, ended) for each time that instances were reserved, up to
  /// `now`.
  template <typename See>
  void see_reserved(std::int64_t now, const See& see) const;

 private:
  bool has_policy() const noexcept { return policy_ != nullptr; }
  std::int64_t memory() const noexcept { return config_.memory.count; }
  static time_point as_time(std::int64_t nanoseconds) noexcept;
  // --- give_back.hpp
  void begin_end(instance& gone, retire_reason why) noexcept;
  void end(instance& gone, retire_reason why) noexcept;
  bool has_live() const noexcept { return live_ > 0 || shards_.live() > 0; }
  void disarm() noexcept;
  void disarm_if_none() noexcept;
  bool doom_silently(instance& gone) noexcept;
  instance* end_silently(instance* gone) noexcept;
  instance* put_first(instance& used, std::int64_t now) noexcept;
  static bool use_up(instance& used) noexcept;
  instance* put_idle(instance& used) noexcept;
  bool may_end() const noexcept;
  instance* put_aside(instance* back) noexcept;

  void stir() noexcept;
  // --- sweep.hpp
  bool keep_calm(const instance* back) noexcept;
  std::int64_t next_expiry(const instance* back) const noexcept;
  static void keep(instance& idle, std::chrono::nanoseconds time,
                   std::int64_t now) noexcept;
  static void queue_work(void* target, std::uint64_t, std::int64_t) noexcept;
  void queue_work() noexcept;
  void try_again() noexcept;
  static fiber* work(task& self, worker& on) noexcept;
  void sweep() noexcept;
  instance* ask_policy() noexcept;
  instance* take_due() noexcept;
  instance* take_idle(std::int64_t since) noexcept;

  // --- share.hpp
  bool has_room(const instance& used) const noexcept;
  void keep_listed(instance& used) noexcept;

  // --- evict.hpp
  friend class instance_budget;
  struct ending;
  void rank() noexcept;
  static void offer(void* target, std::uint64_t last_use,
                    std::int64_t) noexcept;
  instance* give_up(std::int64_t last_use) noexcept;
  bool restore(instance& unharmed) noexcept;
  void cannot_be_restored() noexcept;
  bool end_evicted(instance& gone, worker& on) noexcept;
  static std::int64_t end_all(instance* given_up, worker& on) noexcept;

  // --- reserve.hpp
  bool is_full() const noexcept;
  bool add_live(std::int64_t& ending_there) noexcept;
  bool grant(instance_shard& to) noexcept;
  void open_shards() noexcept;
  bool spares_any() const noexcept { return floor_ == 0 || live_ > floor_; }
  bool keeps_none() const noexcept {
    return keep_alive_ == 0 && floor_ == 0 && !has_policy();
  }

  // --- provision.hpp
  static start_kind start_of_use(instance& taken) noexcept;
  void count_in(instance& made) noexcept;
  void count_out(instance& other) noexcept;
  void strike_off(instance& gone) noexcept;
  bool lacks_any() const noexcept;
  bool reserve_ahead() noexcept;
  bool make_ahead(worker& on) noexcept;
  void pause() noexcept;
  void fill(worker& on) noexcept;
  static constexpr std::int64_t first_pause = 1'000'000'000;
  static constexpr std::int64_t longest_pause = 64 * first_pause;

  const function_config& config_;
  // Of the record, which gives it up when nothing here can ask it any more.
  keep_alive_policy* const policy_;
  scheduler& threads_;
  clock_source& clock_;
  instance_budget& budget_;
  instance_ends& ends_;
  const std::int64_t keep_alive_;
  const std::int64_t floor_;  // What does not expire.
  instance_maker maker_;

  // Written under the lock: an idle instance may be left to the timer.
  std::atomic<bool> calm_ = false;
  std::atomic<bool> armed_ = false;  // The timer, under the lock.
  std::atomic<bool> closed_ = true;  // Until open(); under the lock.
  std::atomic<bool> came_back_ = false;

  mutable lock lock_;  // Guards everything below, and what idles.
  idle_set idle_;
  instance_shards shards_;
  instance_list joinable_;  // In use, with room for others.
  instance_roll all_;       // Initialised, not ending; but for the shards'.
  reserved_time reserved_;
  std::int64_t counted_ = 0;  // Those that count as provisioned.
  std::int64_t live_ = 0;     // But for the shards', so the next one.
  std::int64_t ending_ = 0;
  std::int64_t granted_ = 0;    // To shards, of max_instances.
  std::int32_t starts_ = 0;     // Until there are shards.
  std::int64_t given_up_ = 0;   // Of these, those that may be restored yet.
  instance* doomed_ = nullptr;  // Ending, by `older`, on the pool's own fiber.
  std::size_t doomed_count_ = 0;
  timer expiry_;
  std::int64_t armed_for_ = 0;
  timer rank_;  // In the budget, by the last use of one that is idle.
  bool ranked_ = false;
  std::uint64_t evicted_ = 0;
  retire_reason closed_for_ = retire_reason::removed;
  timer refill_;
  std::int64_t not_before_ = 0;  // After an init that failed, ahead.
  std::int64_t pause_ = first_pause;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/instances/evict.hpp"
#include "hotplate/instances/give_back.hpp"
#include "hotplate/instances/list.hpp"
#include "hotplate/instances/provision.hpp"
#include "hotplate/instances/reserve.hpp"
#include "hotplate/instances/share.hpp"
#include "hotplate/instances/sweep.hpp"
