#pragma once

#include <pthread.h>

#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "hotplate/sched/overflow.hpp"
#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The workers of one engine and the threads that run them; or, host-pumped,
/// one worker that the host's threads run in turn.
/// Thread safety: all members may be called from any thread.
class scheduler {
 public:
  scheduler(clock_source& time, std::size_t threads, std::int64_t spin,
            const overflow_watch* overflows = nullptr)
      : clock_(time),
        spin_(spin),
        shared_(time),
        pumped_(threads == 0),
        overflows_(overflows) {
    const std::size_t count = pumped_ ? 1 : threads;
    shared_.beds = std::make_unique<bed[]>(count);
    for (std::size_t i = 0; i < count; ++i) {
      shared_.workers.push_back(std::make_unique<worker>(shared_, i));
    }
    if (pthread_key_create(&here_, nullptr) != 0) {
      throw std::system_error(EAGAIN, std::generic_category(),
                              "hotplate: no pthread key left for an engine");
    }
  }
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;
  ~scheduler() {
    stop();
    pthread_key_delete(here_);
  }

  /// Starts the threads. `inspect` is called every tick; see watchdog.
  void start(watchdog::inspection inspect, void* target) {
    if (pumped_) return;
    try {
      shared_.dog.start(inspect, target);
      for (const auto& one : shared_.workers) {
        threads_.emplace_back([this, &on = *one] { run(on); });
      }
    } catch (const std::system_error& why) {
      const std::size_t started = threads_.size();
      stop();
      throw std::system_error(why.code(), "hotplate: no thread for worker " +
                                              std::to_string(started + 1) +
                                              " of " + std::to_string(size()));
    } catch (...) {
      stop();
      throw;
    }
  }

  /// Ends the threads; whoever waits must have been answered before.
  void stop() noexcept {
    shared_.dog.stop();
    shared_.stopping.store(true, std::memory_order_seq_cst);
    for (const auto& one : shared_.workers) {
      shared_.idle.notify(shared_.beds[one->index()]);
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  bool pumped() const noexcept { return pumped_; }
  std::size_t size() const noexcept { return shared_.workers.size(); }
  worker& at(std::size_t index) noexcept { return *shared_.workers[index]; }
  watchdog& dog() noexcept { return shared_.dog; }
  timer_queue& timers() noexcept { return shared_.dog.timers(); }
  stack_pool& stacks() noexcept { return shared_.stacks; }
  const stack_pool& stacks() const noexcept { return shared_.stacks; }

  /// The worker that the calling thread is running; null if it runs none. Not
  /// by pthread_self(), which compilers take for constant across a switch.
  worker* here() const noexcept {
    return static_cast<worker*>(pthread_getspecific(here_));
  }

  /// Queues a task from a thread that runs no worker; false: out of memory.
  bool submit(task& unstarted) noexcept {
    if (!shared_.arrivals.push(&unstarted)) return false;
    shared_.idle.notify(shared_.beds.get(), shared_.workers.size());
    return true;
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
    worker& on = *shared_.workers.front();
    pthread_setspecific(here_, &on);
    on.adopt_thread();
    pumpers_seat_.take(on);
    return &on;
  }
  void end_pump() noexcept {
    pumpers_seat_.leave();
    pthread_setspecific(here_, nullptr);
    pumping_.store(false, std::memory_order_release);
  }

 private:
  void run(worker& on) noexcept {
    pthread_setspecific(here_, &on);
    const std::string name = "hotplate/" + std::to_string(on.index());
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    on.adopt_thread();
    overflow_seat seat(overflows_);
    seat.take(on);
    while (!shared_.stopping.load(std::memory_order_relaxed)) {
      if (on.step()) continue;
      on.set_running(nullptr);
      if (search(on)) {
        on.step(true);
      } else {
        on.park(forever);
      }
    }
    seat.leave();
  }

  bool search(worker& on) noexcept {
    const std::int64_t until = clock_.now() + spin_;
    shared_.idle.start_searching();
    bool found = on.anything_ready();
    while (!found && clock_.now() < until) {
      relax();
      found = on.anything_ready();
    }
    shared_.idle.stop_searching();
    return found || on.anything_ready();
  }

  clock_source& clock_;
  const std::int64_t spin_;
  shared_sched shared_;
  const bool pumped_;
  const overflow_watch* const overflows_;
  overflow_seat pumpers_seat_{overflows_};
  pthread_key_t here_{};
  // Whether a host thread is inside poll() or its like.
  std::atomic<bool> pumping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
