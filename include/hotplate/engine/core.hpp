#pragma once

// Long because: it declares all of the core, and defines next to nothing.

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/admission/tenants.hpp"
#include "hotplate/arena/chunk_pool_hold.hpp"
#include "hotplate/base/fork_mark.hpp"
#include "hotplate/base/leash.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/describe.hpp"
#include "hotplate/engine/error_reserve.hpp"
#include "hotplate/engine/invocation_pool.hpp"
#include "hotplate/engine/lobby.hpp"
#include "hotplate/engine/overruns.hpp"
#include "hotplate/engine/resident_code.hpp"
#include "hotplate/engine/sender.hpp"
#include "hotplate/metering/meter_set.hpp"
#include "hotplate/registry/registry.hpp"
#include "hotplate/stats.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct glimpse;  // glimpse.hpp

/// The engine without its types: the stages, wired. Each verb's definition is
/// in the header named beside it; invoke.hpp shows the life of an invocation.
class core {
 public:
  explicit core(engine_config config);  // setup.hpp
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core();  // drain.hpp

  // --- setup.hpp
  function_record& deploy(std::string name, handler how,
                          const function_config& config) {
    return code_.deploy(*this, std::move(name), std::move(how), config);
  }
  engine_stats stats() const;
  template <int = 0>
  std::vector<function_stats> functions() const;

  // --- admit.hpp
  void limit_tenant(std::string_view tenant, std::optional<std::int64_t> limit);
  template <int = 0>
  std::vector<tenant_stats> list_tenants() const;
  // --- describe.hpp
  template <int = 0>
  std::vector<invocation_info> list_in_flight();
  template <int = 0>
  engine_info describe() const;
  // --- versions.hpp
  bool remove(std::string_view name);
  std::uint32_t roll_back(std::string_view name);
  void alias(std::string_view name, std::string_view alias,
             const std::vector<weighted_version>& at);
  /// Aims at what "name:qualifier" means; null if nothing, and then says why.
  version_record* aim_qualified(invocation& call, std::string_view name);

  // --- opening.hpp
  /// A record for a call of `version`, or of nothing if that is null; itself
  /// null when memory is out.
  invocation* open(function_record* target, version_record* version,
                   const invoke_options& options, worker* here) noexcept;
  // --- invoke.hpp
  /// Invokes and waits until it has settled. `here` is the calling thread's
  /// worker, or null; returned is what it is then.
  worker* invoke(invocation& call, worker* here);
  /// The same; cancels it when `stop` says so.
  worker* invoke(invocation& call, worker* here, const std::stop_token& stop);
  /// Starts it; somebody may wait for it later.
  void start(invocation& call, worker* here) noexcept;
  /// The same, as of `now`; the caller tells workers of those among others.
  void start(invocation& call, worker* here, std::int64_t now,
             submitted how) noexcept;
  void tell_workers() noexcept { threads_.tell_workers(); }
  // --- invoke_here.hpp
  /// As invoke(), on the calling thread; see guest_place for `here`.
  worker* invoke_here(invocation& call, worker* here,
                      const std::stop_token& stop);

  // --- talk.hpp
  bool logs(const invocation& call, log_level level) const noexcept;
  void log(invocation& call, log_level level, std::string_view text);
  /// Whether nobody waits for its result any more.
  bool is_over(const invocation& call) const noexcept;
  static std::stop_token stop_token_of(invocation& call);
  static std::string_view name_of_task(const task& self) noexcept;

  // --- account.hpp
  bool add_meter(hotplate::meter& added) { return meters_.add(added); }
  template <int = 0>
  bool remove_meter(hotplate::meter& gone);
  /// What it has consumed by `now`; final once it has settled.
  usage usage_of(const invocation& call, errc status,
                 std::int64_t now) const noexcept;
  /// Of one that has settled.
  usage usage_of(const invocation& call) const noexcept;

  // --- settle.hpp
  void refuse(invocation& call, owned<const made_error> why) noexcept;
  /// `its_own`: by the handler's side.
  void expire(invocation& call, std::uint64_t generation, std::int64_t now,
              bool its_own = false) noexcept;
  bool cancel(invocation& call, std::uint64_t generation, errc why) noexcept;
  /// The caller's side is done with the record.
  void leave(invocation& call, worker* here) noexcept;

  // --- wait.hpp
  worker* wait(invocation& call, worker* here, std::int64_t until = forever);
  void sleep_until(invocation& call, std::int64_t when);
  void yield(invocation& call);
  /// The same, of what belongs to no invocation if that is null.
  void yield(invocation* self, worker& here);
  /// The worker that the calling thread is running, or null. In a handler whose
  /// invocation is over, throws invocation_cancelled instead; else marks where
  /// it may be suspended now.
  worker* here_or_throw(const source_location& where) const;
  bool throw_if_over(worker* here) const;
  void throw_where_over(worker* here) const {
    if (here != nullptr && !here->on_root()) throw_if_over(here);
  }

  // --- pump.hpp
  std::size_t poll();
  bool poll_one();
  void run_until_idle();
  void run_until(time_point when);

  // --- drain.hpp
  drain_report drain(std::chrono::nanoseconds within);
  // --- unload.hpp
  /// Null when memory is out.
  module_use* use_of(module_id whose) noexcept;
  template <int = 0>
  std::vector<std::string> drain(module_id gone,
                                 std::chrono::nanoseconds within);

  /// In a child process, which has none of the engine's threads.
  bool is_forked() const noexcept {
    return config_.workers != 0 && process_.is_child();
  }
  /// Throws bad_outcome in such a child, where locks may be held for ever.
  void throw_if_forked() const;  // wait.hpp

  time_point now() const noexcept { return as_time(time_.now()); }
  std::int64_t clock_now() const noexcept { return time_.now(); }
  worker* here() const noexcept { return threads_.here(); }
  /// For the calling thread, which runs no worker; null if there is none.
  worker* claim_guest() noexcept {
    return threads_.pumped() || is_forked() ? nullptr : threads_.claim_guest();
  }
  void give_back(worker& guest) noexcept { threads_.give_back(guest); }
  /// See scheduler.
  void make_restless() noexcept { threads_.make_restless(); }
  const engine_config& config() const noexcept { return config_; }
  const resident_code& code() const noexcept { return code_; }
  const leash_post& leashes() const noexcept { return leashes_; }
  registry& names() noexcept { return names_; }
  chunk_source& chunks() noexcept { return *chunks_; }

  static time_point as_time(std::int64_t nanoseconds) noexcept {
    return time_point{std::chrono::nanoseconds{nanoseconds}};
  }
  static std::int64_t as_count(time_point time) noexcept {
    return time.time_since_epoch().count();
  }

 private:
  // --- versions.hpp
  static registry_watcher version_watcher() noexcept;
  function_record& deployed(std::string_view name);
  friend class lobby;           // line.hpp
  friend struct continuations;  // continuation.hpp
  friend struct spare_errors;   // settle.hpp
  friend class post_office;     // post_office.hpp

  // --- resident.hpp
  static resident_code resident() noexcept;

  // --- setup.hpp
  static function_record& deploy_here(core& self, std::string&& name,
                                      handler&& how,
                                      const function_config& config);
  /// Throws bad_config.
  void refuse_in_child() const;
  fiber_kind fibers_for(deployed_function& target,
                        const function_config& config);
  std::uint8_t stacks_for(deployed_function& target,
                          const function_config& config);

  // --- opening.hpp
  template <typename T>
  static void show(T& seen, T now) noexcept;
  static void aim(invocation& call, function_record& target,
                  version_record& version) noexcept;
  void follow_caller(invocation& call, worker* here) noexcept;
  void arrive(invocation& call, std::int64_t now) noexcept;
  static void inherit_trace(invocation& call, const invocation& from) noexcept;

  // --- invoke.hpp
  enum class admission { granted, waiting, refused };
  template <typename Clock>
  admission admit(invocation& call, worker* here, const Clock& clock) noexcept;
  admission bar(invocation& call) noexcept;
  admission shut_out(invocation& call) noexcept;
  static bool is_gone(const invocation& call) noexcept;
  static void drop_args(invocation& call) noexcept;
  worker* run_directly(invocation& call, worker& here);
  worker* wait_or_leave(invocation& call, worker* here);
  void run_pumping(invocation& call);  // pump.hpp
  void send_to_worker(invocation& call, worker* here,
                      submitted how = submitted::alone) noexcept;
  static fiber* run(task& self, worker& on);
  static void refuse_fiber(task& self, worker& on) noexcept;
  bool begin(invocation& call) noexcept;
  static void enter_queue(invocation& call) noexcept;
  void enter_init(invocation& call, start_kind how, std::int64_t now) noexcept;
  void enter_handler(invocation& call, std::int64_t now) noexcept;
  void bound_handler(invocation& call, std::int64_t now) noexcept;
  void call_handler(invocation& call, worker& on, lease& on_loan) noexcept;
  bool take_instance(invocation& call, worker& on, lease& on_loan);
  bool take_elsewhere(invocation& call, const worker& on, lease& on_loan,
                      std::int64_t now);
  bool start_cold(invocation& call, lease& on_loan, instance_shard* home,
                  std::int64_t& now);
  fiber* finish(invocation& call, worker& on, lease& on_loan) noexcept;
  void part_with(const invocation& call, worker& on, lease& on_loan) noexcept;

  // --- invoke_here.hpp
  worker* run_or_wait(invocation& call, worker* here, admission answer,
                      const std::stop_token& stop);
  static void stand_still(invocation& call, worker& here) noexcept;
  void run_as_guest(invocation& call, worker& here) noexcept;
  void wait_for_end(invocation& call) noexcept;

  // --- cold_start.hpp
  instance* take_idle(invocation& call, std::int64_t now) noexcept;
  bool reserve_instance(invocation& call, std::int64_t& now);
  shortage reserve_later(invocation& call, shortage lacks);
  bool make_room(invocation& call, instance_ends::moment& seen);
  void wait_for_end(const instance_ends::moment& seen);
  static void tell_of_end(void* self) noexcept;
  bool make_instance(invocation& call, lease& on_loan, instance_shard* home,
                     std::int64_t& now);
  static void disown(invocation& call) noexcept;
  bool is_late(invocation& call, std::int64_t now) noexcept;

  // --- admit.hpp
  struct seat;
  const gate* enter(invocation& call, worker* here) noexcept;
  const gate* enter_with_tenant(invocation& call, gate& places,
                                worker* here) noexcept;
  admission line_up(invocation& call, worker* here, const gate& full) noexcept;
  owned<const made_error> explain(const invocation& call,
                                  const gate& full) const;
  scarce owner_of(const gate& full, const invocation& call) const noexcept;
  void call_in(worker* here) noexcept;
  bool withdraw(invocation& call) noexcept;
  void give_place_back(invocation& call, worker* here) noexcept;
  void share_place_back(invocation& call, worker* here) noexcept;
  void reserve(deployed_function& target, const function_config& config);
  void give_reservations_back() noexcept;
  bool give_reservation_back(deployed_function& removed) noexcept;
  std::int64_t in_flight() const noexcept {
    return limit_.inside() + reserved_.inside() + room_.size();
  }

  // --- account.hpp
  void meter(const invocation& call, worker* here) noexcept;
  void record_closely(const invocation& call, worker* here) noexcept;
  void tell_meters(const invocation& call, const worker* here) noexcept;
  void watch_overrun(std::size_t worker, invocation& call,
                     std::uint64_t generation, std::int64_t now) noexcept;

  // --- settle.hpp
  void judge(invocation& call, std::int64_t now) noexcept;
  void judge_closely(invocation& call, std::int64_t now,
                     std::int64_t deadline) noexcept;
  fiber* answer_directly(invocation& call, worker& here) noexcept;
  fiber* answer(invocation& call, worker* here, std::uint64_t flags,
                watcher** untold = nullptr) noexcept;
  void settle_early(invocation& call, owned<const made_error> why,
                    std::int64_t now, bool has_ended) noexcept;
  void settle_unfinished(invocation& call, owned<const made_error> why,
                         std::int64_t now) noexcept;
  void count_overrun(invocation& call, std::int64_t now) noexcept;
  struct awaited_one;
  awaited_one wake_suspended(invocation& call) noexcept;
  void wake(fiber* suspended, std::uint32_t wait) noexcept;
  void resume(fiber& ready) noexcept;
  void recycle(invocation& call, worker* here) noexcept;
  static void tidy(invocation& call) noexcept;
  static void request_stop(invocation& call) noexcept;

  // --- wait.hpp
  worker* wait_as_fiber(invocation& call, worker* here, std::int64_t until);
  worker* wait_alone(invocation& call, worker& here, std::int64_t until);
  void wait_as_thread(invocation& call, std::int64_t until) noexcept;
  std::uint32_t open_wait(invocation& self, fiber& on,
                          std::int64_t until) noexcept;
  bool throw_unless_unwinding(const invocation& self, const worker& here) const;
  static void step_out(invocation& self, std::int64_t now) noexcept;
  void go_on(invocation& self, worker& here, std::int64_t now) noexcept;
  void close_wait(invocation& self, worker& here, std::int64_t now) noexcept;
  static worker* suspend(invocation& self, worker& here, std::uint32_t wait,
                         after_switch then) noexcept;
  static void end_wait(void* target, std::uint64_t token,
                       std::int64_t now) noexcept;
  static void end_by_deadline(void* target, std::uint64_t token,
                              std::int64_t now) noexcept;

  // --- pump.hpp
  void pump_until_settled(invocation& call, worker& on, std::int64_t until);
  void wait_beside_pump(invocation& call, std::int64_t until);
  bool pump_once(worker& on, timer_order last = timer_order::keep_alive);
  bool pump_next_timer(worker& on, std::int64_t until);

  // --- trim.hpp
  bool trim(std::int64_t now) noexcept;
  static void give_cache(void* self, worker& of) noexcept;

  // --- describe.hpp
  template <int = 0>
  invocation_info info_of(const invocation& call, const glimpse& seen,
                          std::uint64_t state, std::int64_t now);
  template <int = 0>
  function_info info_of(const deployed_function& function,
                        std::int64_t now) const;
  int worker_of_child(const glimpse& seen) const noexcept;
  int worker_running(const invocation& call) const noexcept;

  // --- drain.hpp
  static bool inspect(void* self, std::int64_t now);
  bool cancel_made(errc why, std::uint64_t& dropped);
  std::uint64_t cancel_all(errc why);
  void wait_for_handlers(std::int64_t until);
  std::vector<running_handler> still_running();
  void name_one_running() noexcept;
  template <typename See>
  void see_running(const See& see);
  void close_instances();
  void wait_until_empty(const instance_pool& pool);
  std::uint64_t stop_sending() noexcept;

  // --- unload.hpp
  struct version_uses {
    std::int64_t running = 0;
    std::int64_t untaken = 0;  // Outcomes; whoever takes or drops one ends it.
    bool instances = false;

    bool any() const noexcept { return running + untaken > 0 || instances; }
  };
  template <int = 0>
  version_uses uses_of(const deployed_version& version);
  template <int = 0>
  std::vector<std::string> uses_of(module_id gone, bool& may_end);
  template <int = 0>
  void forget_handlers(module_id gone);
  void forget_removed();  // versions.hpp
  void idle_until(std::int64_t until);

  static std::uint64_t number_of(const invocation& call) noexcept {
    return (std::uint64_t{call.slot} << 32) | call.generation();
  }
  /// Whether anything is still to come to its end.
  bool busy() const noexcept {
    return in_flight() > 0 ||
           continuations_.load(std::memory_order_acquire) > 0;
  }
  /// The same, but for what only an executor can bring there.
  bool has_suspended() const noexcept {
    return in_flight() > 0 || continuing_.load(std::memory_order_relaxed) > 0 ||
           events_due_.load(std::memory_order_relaxed) > 0;
  }
  static std::int64_t timeout_of(const invocation& call) noexcept {
    return std::chrono::nanoseconds(call.version->config.timeout).count();
  }
  std::int64_t spin() const noexcept {
    return std::chrono::nanoseconds(config_.spin).count();
  }

  const resident_code code_;
  [[no_unique_address]] const leash_post leashes_;  // Ends last.
  const engine_config config_;
  const std::uint64_t identity_;
  const fork_mark process_;
  clock_source time_;
  chunk_pool_hold chunks_;
  error_reserve spare_errors_;
  gate limit_;  // On those without a reservation.
  gate reserved_{0};
  tenants tenants_;
  waiting_room room_;
  lock reserving_;  // Guards every change of limit_'s and reserved_'s limits.
  deployed_function* to_give_back_ = nullptr;  // Under reserving_.
  scheduler threads_;
  instance_budget budget_;
  lobby lacking_{*this};  // Of invocations that wait for instances to end.
  line lacking_line_;
  instance_ends ends_{&tell_of_end, this, budget_.limited()};
  instance_rooms rooms_;
  meter_set meters_;
  overrun_watch overruns_seen_;
  invocation_pool records_;
  registry names_;  // Destroys instances, which disarm timers of threads_.

  std::int64_t looked_at_ = 0;  // By the watchdog, or whoever pumps.
  std::atomic<bool> draining_ = false;
  // From their making to their end, by anybody. The release of the last change
  // pairs with the acquire in busy(): nobody touches the engine after it.
  std::atomic<std::int64_t> continuations_ = 0;
  std::atomic<std::int64_t> continuing_ = 0;  // Those that run or wait.
  std::atomic<module_use*> users_ = nullptr;  // By `next`.
  // Made by the first who sends; ends when all threads have.
  std::atomic<sender*> sender_ = nullptr;
  std::atomic<std::int64_t> events_due_ = 0;  // For which a timer is armed.
  // Written by whoever settles or ends; statistics only.
  std::atomic<std::uint64_t> not_found_ = 0;
  // Since removed handlers were looked for, and when they are again.
  std::atomic<std::size_t> removals_ = 0;
  std::atomic<std::size_t> looks_after_ = 0;
  std::atomic<std::uint64_t> log_failures_ = 0;
  std::atomic<std::uint64_t> overruns_ = 0;
  std::atomic<std::int64_t> overrun_ns_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/engine/account.hpp"
#include "hotplate/engine/admit.hpp"
#include "hotplate/engine/cold_start.hpp"
#include "hotplate/engine/describe.hpp"
#include "hotplate/engine/drain.hpp"
#include "hotplate/engine/handler_view.hpp"
#include "hotplate/engine/invoke.hpp"
#include "hotplate/engine/opening.hpp"
#include "hotplate/engine/pump.hpp"
#include "hotplate/engine/settle.hpp"
#include "hotplate/engine/setup.hpp"
#include "hotplate/engine/talk.hpp"
#include "hotplate/engine/trim.hpp"
#include "hotplate/engine/unload.hpp"
#include "hotplate/engine/versions.hpp"
#include "hotplate/engine/wait.hpp"
