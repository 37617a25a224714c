#pragma once

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <barrier>
#include <boost/fiber/all.hpp>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "compare/support/answer_box.hpp"

namespace compare {

/// Boost.Fiber with work stealing: the thread that makes the pool and
/// `threads` - 1 others schedule each other's fibers, without ever sleeping.
/// Set up like libs/fiber/examples/work_stealing.cpp, barrier included. One for
/// the life of a process: the algorithm keeps its schedulers in a static list.
class stealing_fibers {
 public:
  explicit stealing_fibers(unsigned threads) : all_there_(threads) {
    for (unsigned i = 1; i < threads; ++i) {
      threads_.emplace_back([this, threads] { work(threads); });
    }
    join_in(threads);
  }
  stealing_fibers(const stealing_fibers&) = delete;
  stealing_fibers& operator=(const stealing_fibers&) = delete;
  ~stealing_fibers() {
    {
      const std::lock_guard hold(mutex_);
      stopping_ = true;
    }
    stopped_.notify_all();
    for (std::thread& each : threads_) each.join();
  }

 private:
  void join_in(unsigned threads) {
    boost::fibers::use_scheduling_algorithm<boost::fibers::algo::work_stealing>(
        threads);
    all_there_.arrive_and_wait();
  }
  void work(unsigned threads) {
    join_in(threads);
    std::unique_lock hold(mutex_);
    stopped_.wait(hold, [this] { return stopping_; });
  }

  std::barrier<> all_there_;
  std::mutex mutex_;
  boost::fibers::condition_variable_any stopped_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

/// Where fibers have their stacks from: malloc, which the library uses unless
/// told otherwise. glibc's, by default, returns most of it to the kernel and
/// has it back page by page, which is nine tenths of what a fiber then costs;
/// told to keep it, a host's choice, it does without.
enum class stacks { by_default, kept };

/// For main(): its thread schedules fibers together with `threads` - 1 others.
inline int run_with_stealing_fibers(unsigned threads, stacks from, int count,
                                    char** arguments) {
  if (from == stacks::kept) {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
  }
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 1;
  const stealing_fibers all(threads);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

/// Boost.Fiber for tasks of a thread that runs no fibers: threads with ten
/// fibers each, which take tasks from a channel, as
/// boost.org/doc/libs/1_74_0/libs/fiber/doc/html/fiber/worker.html shows. With
/// `spin`, one fiber each, which looks for so long before it waits.
class channel_fibers {
 public:
  explicit channel_fibers(unsigned threads, std::chrono::microseconds spin = {})
      : spin_(spin) {
    for (unsigned i = 0; i < threads; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }
  channel_fibers(const channel_fibers&) = delete;
  channel_fibers& operator=(const channel_fibers&) = delete;
  ~channel_fibers() {
    tasks_.close();
    for (std::thread& each : threads_) each.join();
  }

  void run(std::function<void()> task) { tasks_.push(std::move(task)); }

 private:
  using status = boost::fibers::channel_op_status;

  void work() {
    const int many = spin_.count() == 0 ? 10 : 1;
    std::vector<boost::fibers::fiber> fibers;
    for (int i = 0; i < many; ++i) {
      fibers.emplace_back([this] { take_tasks(); });
    }
    for (boost::fibers::fiber& each : fibers) each.join();
  }

  void take_tasks() {
    std::function<void()> task;
    while (look(task) || tasks_.pop(task) == status::success) task();
  }

  bool look(std::function<void()>& task) {
    if (spin_.count() == 0) return false;
    const auto until = clock::now() + spin_;
    do {
      if (tasks_.try_pop(task) == status::success) return true;
      relax();
    } while (clock::now() < until);
    return false;
  }

  const std::chrono::microseconds spin_;
  boost::fibers::buffered_channel<std::function<void()>> tasks_{1024};
  std::vector<std::thread> threads_;
};

}  // namespace compare
