#pragma once

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "hotplate/base/owned.hpp"
#include "hotplate/base/text.hpp"
#include "hotplate/base/thread.hpp"
#include "hotplate/sched/blocking_threads.hpp"
#include "hotplate/sched/guests.hpp"
#include "hotplate/sched/spares.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct thread_config {
  std::size_t workers = 0;  ///< 0: host-pumped.
  std::int64_t spin = 0;    ///< Nanoseconds.
  std::size_t spares = 0;   ///< Most of them; so for the next two.
  std::size_t guests = 0;
  std::size_t blocking = 0;
  std::string name = "hotplate";
  bool pinned = false;
  const overflow_watch* overflows = nullptr;
  chunk_source* chunks = nullptr;  ///< For many arrivals at once; see inbox.
};

/// The workers of one engine and the threads that run them; or, host-pumped,
/// one worker that the host's threads run in turn.
/// Thread safety: all members may be called from any thread.
class scheduler {
 public:
  scheduler(clock_source& time, thread_config config)
      : clock_(time),
        config_(std::move(config)),
        pumped_(config_.workers == 0),
        size_(pumped_ ? 1 : config_.workers),
        shared_(time, size_, pumped_ ? 0 : config_.spares, config_.overflows,
                config_.chunks),
        spares_(shared_, size_, &run_spare, this),
        guests_(shared_, shared_.workers.size(), config_.guests, size_,
                guest_seats()),
        blocking_(shared_, shared_.workers.size() + config_.guests,
                  config_.blocking, &enter_blocking, this),
        threads_(pumped_ ? 0 : size_) {
    const bool one = pthread_key_create(&here_, nullptr) == 0;
    if (one && pthread_key_create(&guest_, nullptr) == 0) return;
    if (one) pthread_key_delete(here_);
    throw std::system_error(EAGAIN, std::generic_category(),
                            "hotplate: no pthread key left for an engine");
  }
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  ~scheduler() {
    stop();
    pthread_key_delete(here_);
    pthread_key_delete(guest_);
  }

  /// Each worker tells `target` that it was time to look; before start().
  void tell_of_looks(void (*tell)(void*, worker&) noexcept,
                     void* target) noexcept {
    shared_.on_look = tell;
    shared_.target = target;
  }

  /// Starts the threads. `inspect` is called every tick; see watchdog.
  void start(watchdog::inspection inspect, void* target) {
    shared_.fence.arm();
    if (pumped_) return;
    try {
      shared_.dog.start(inspect, target, config_.name + "/watch");
      for (worker& one : shared_.workers) {
        if (started_ == size_) break;
        threads_[started_] = start_thread<&scheduler::run>(*this, one);
        ++started_;
      }
    } catch (const std::system_error& why) {
      const std::size_t started = started_;
      stop();
      throw std::system_error(
          why.code(), sentence({"hotplate: no thread for worker ", started + 1,
                                " of ", size()}));
    } catch (...) {
      stop();
      throw;
    }
  }

  /// Ends the threads; whoever waits must have been answered before.
  void stop() noexcept {
    shared_.dog.stop();
    shared_.stopping.store(true, std::memory_order_seq_cst);
    for (worker& one : shared_.workers) {
      one.engage();  // Wakes it, wherever it sleeps.
    }
    while (started_ > 0) threads_[--started_].join();
    spares_.join();
    blocking_.stop();
  }

  bool pumped() const noexcept { return pumped_; }
  /// Workers but for the spare ones, whose indices follow.
  std::size_t size() const noexcept { return size_; }
  /// Workers that have a seat of their own: those, and as many guests.
  std::size_t seats() const noexcept { return size_ + guest_seats(); }
  /// One above the highest index of any worker, of whatever kind.
  std::size_t indices() const noexcept {
    return shared_.workers.size() + guests_.most() + blocking_.most();
  }
  /// Null if that one was never needed.
  worker* at(std::size_t index) const noexcept {
    if (index < shared_.workers.size()) return &shared_.workers[index];
    index -= shared_.workers.size();
    return index < guests_.most() ? guests_.at(index)
                                  : blocking_.at(index - guests_.most());
  }
  blocking_threads& blocking() noexcept { return blocking_; }
  const blocking_threads& blocking() const noexcept { return blocking_; }
  spares& spare_threads() noexcept { return spares_; }
  const spares& spare_threads() const noexcept { return spares_; }
  watchdog& dog() noexcept { return shared_.dog; }
  const asymmetric_fence& fence() const noexcept { return shared_.fence; }
  timer_queue& timers() noexcept { return shared_.dog.timers(); }
  stack_pool& stacks() noexcept { return shared_.stacks; }
  const stack_pool& stacks() const noexcept { return shared_.stacks; }

  /// The worker that the calling thread is running; null if it runs none. Not
  /// by pthread_self(), which compilers take for constant across a switch.
  worker* here() const noexcept {
    return static_cast<worker*>(pthread_getspecific(here_));
  }

  /// Queues a task from anywhere; `here` is the calling thread's worker, or
  /// null. False when memory is out.
  bool submit(task& unstarted, worker* here = nullptr,
              submitted how = submitted::alone) noexcept {
    const bool may_push =
        here != nullptr && !here->on_root() && !here->is_plain();
    if (may_push) return here->push(unstarted, how);
    if (!shared_.arrivals.push(&unstarted, how)) return false;
    if (how != submitted::among_others) shared_.wake_any();
    return true;
  }
  /// Of those among others.
  void tell_workers() noexcept { shared_.wake_any(); }

  /// The calling thread, which runs no worker, gets one to run tasks itself;
  /// null if too many threads have one already, or memory is out.
  HOTPLATE_INLINE worker* claim_guest() noexcept {
    auto* const last = static_cast<worker*>(pthread_getspecific(guest_));
    worker* const claimed = guests_.claim(last);
    if (claimed != last && claimed != nullptr) [[unlikely]] {
      pthread_setspecific(guest_, claimed);
    }
    return claimed;
  }
  void give_back(worker& guest) noexcept { guests_.give_back(guest); }

  /// Runs a task, and what that leaves behind, on the calling thread.
  void run_here(task& given, worker& guest) noexcept {
    pthread_setspecific(here_, &guest);
    guest.adopt_thread();
    {
      const no_exceptions here;
      guest.run_plainly(given);
    }
    guest.release_thread();
    pthread_setspecific(here_, nullptr);
  }

  /// Has workers give back what they did not need since the last call: those
  /// that run, and those that have much of it, or `all`. By one thread;
  /// host-pumped, by whoever pumps.
  void look(bool all) noexcept {
    shared_.looks.fetch_add(1, std::memory_order_relaxed);
    if (pumped_) {
      while (shared_.workers[0].is_to_trim()) shared_.workers[0].trim();
      return;
    }
    for (worker& one : shared_.workers) {
      if (all || one.holds_many()) one.nudge();
    }
    guests_.look();
  }
  /// After a look: has one guest that nobody uses do so. False if none is left.
  bool trim_guest() noexcept { return guests_.trim(); }

  /// From now on, fibers that may move do so each time. For tests: with one
  /// worker, they never go on.
  void make_restless() noexcept {
    shared_.restless.store(true, std::memory_order_relaxed);
  }

  bool arm(timer& armed, std::int64_t when, timer_order order) noexcept {
    if (!pumped_) return shared_.dog.arm(armed, when, order);
    if (!timers().arm(armed, when, order)) return false;
    if (here() == nullptr) shared_.idle.notify(shared_.beds[0]);
    return true;
  }

  /// The calling thread becomes the pumper; null while another one is.
  worker* try_pump() noexcept {
    // acquire: sees what the last pumper did; pairs with end_pump().
    if (pumping_.exchange(true, std::memory_order_acquire)) return nullptr;
    worker& on = shared_.workers[0];
    pthread_setspecific(here_, &on);
    on.adopt_thread();
    return &on;
  }
  void end_pump() noexcept {
    shared_.workers[0].release_thread();
    pthread_setspecific(here_, nullptr);
    pumping_.store(false, std::memory_order_release);
  }

 private:
  // As many threads as run at once, where there is a processor for each worker.
  std::size_t guest_seats() const noexcept {
    return pumped_ ? 0 : std::min(size_, config_.guests);
  }

  void run(worker& on) noexcept {
    if (config_.pinned) pin_to_cpu(on.index());
    run_as(on, sentence({config_.name, "/", on.index()}));
  }

  static void run_spare(void* self, worker& on) {
    auto& mine = *static_cast<scheduler*>(self);
    mine.run_as(on,
                sentence({mine.config_.name, "/s", on.index() - mine.size_}));
  }

  void run_as(worker& on, const std::string& name) noexcept {
    enter(on, name);
    bool was_idle = false;
    while (!shared_.stopping.load(std::memory_order_relaxed) && on.stays()) {
      if (on.is_to_trim()) [[unlikely]]
        on.trim();
      if (on.step(std::exchange(was_idle, false))) continue;
      on.set_running(nullptr);
      was_idle = true;
      if (!on.serves() || !search(on)) on.park(forever);
    }
    if (!on.is_regular()) on.give_all_back();
    on.release_thread();
  }

  static void enter_blocking(void* self, worker& on) {
    auto& mine = *static_cast<scheduler*>(self);
    mine.enter(on, sentence({mine.config_.name, "/b",
                             on.index() - mine.shared_.workers.size() -
                                 mine.guests_.most()}));
  }

  void enter(worker& on, const std::string& name) noexcept {
    pthread_setspecific(here_, &on);
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    on.adopt_thread();
    on.thread().adopt();
  }

  bool search(worker& on) noexcept {
    const std::int64_t until = clock_.now() + config_.spin;
    shared_.idle.start_searching();
    bool found = on.anything_ready();
    while (!found && clock_.now() < until) {
      for (int i = 0; i < 8 && !found; ++i) {  // A look is as fast as a clock.
        relax();
        found = on.anything_ready();
      }
    }
    shared_.idle.stop_searching();
    return found || on.anything_ready();
  }

  clock_source& clock_;
  const thread_config config_;
  const bool pumped_;
  const std::size_t size_;
  shared_sched shared_;
  spares spares_;
  guests guests_;
  blocking_threads blocking_;
  pthread_key_t here_{};
  pthread_key_t guest_{};  // That the thread had last: a hint, held by nobody.
  // Whether a host thread is inside poll() or its like.
  std::atomic<bool> pumping_ = false;
  owned_array<std::thread> threads_;
  std::size_t started_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
