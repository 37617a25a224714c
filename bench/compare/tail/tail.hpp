#pragma once

// Question: how late do short jobs end that arrive at random, on two workers,
// with and without another function that keeps one of them busy?
// Unit: ns from the moment when a job was to arrive to its end, as
// distributions: also the generator's own delay counts, and nothing is left out
// while a worker is late (no coordinated omission).
// Left out: overload. Jobs of 10 us arrive 30,000 times a second, by a Poisson
// process, which is 30 % of one core; the neighbour's take 100 ms, one after
// another. `late_` is how late the generator itself was: it sleeps until the
// next arrival, on the same two cores.

#include <benchmark/benchmark.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "compare/support/answer_box.hpp"
#include "compare/support/latency.hpp"

namespace compare::tail {

inline constexpr int workers = 2;
inline constexpr std::chrono::microseconds job_time{10};
inline constexpr std::chrono::milliseconds neighbour_time{100};
inline constexpr double arrivals_a_second = 30'000;

/// Work that nobody can leave out, and that preemption does not shorten.
inline std::uint64_t burn(std::uint64_t rounds) {
  std::uint64_t x = rounds;
  for (std::uint64_t i = 0; i < rounds; ++i) {
    x = x * 6364136223846793005U + 1442695040888963407U;
  }
  return x;
}

/// How many rounds take job_time on this machine when nothing disturbs.
inline std::uint64_t rounds_of_a_job() {
  static const std::uint64_t rounds = [] {
    constexpr std::uint64_t tried = 100'000;
    std::int64_t best = INT64_MAX;
    for (int i = 0; i < 50; ++i) {
      const auto start = clock::now();
      benchmark::DoNotOptimize(burn(tried));
      best = std::min(best, nanoseconds_since(start));
    }
    const double share = 1000.0 * static_cast<double>(job_time.count()) /
                         static_cast<double>(best);
    return static_cast<std::uint64_t>(share * static_cast<double>(tried));
  }();
  return rounds;
}

/// All arrivals of one run, and what became of them.
class jobs {
 public:
  explicit jobs(std::chrono::milliseconds length) {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> gap(arrivals_a_second);
    const double end = std::chrono::duration<double>(length).count();
    for (double at = gap(random); at < end; at += gap(random)) {
      due_.push_back(static_cast<std::int64_t>(at * 1e9));
    }
    late_.resize(due_.size());
    taken_.resize(due_.size());
    answers_.resize(due_.size());
  }

  std::size_t size() const noexcept { return due_.size(); }
  std::vector<std::int64_t>& taken() noexcept { return taken_; }
  std::vector<std::int64_t>& late() noexcept { return late_; }

  void begin() noexcept { start_ = clock::now(); }

  /// Sleeps until the job is due.
  void await(std::size_t i) {
    std::this_thread::sleep_until(start_ + std::chrono::nanoseconds(due_[i]));
    late_[i] = nanoseconds_since(start_) - due_[i];
  }

  /// By a worker.
  void run(std::size_t i) {
    answers_[i] = burn(rounds_);
    taken_[i] = nanoseconds_since(start_) - due_[i];
    // release: the generator sees the lines above once it sees all have ended.
    ended_.fetch_add(1, std::memory_order_release);
  }

  void await_last() const {
    while (ended_.load(std::memory_order_acquire) < size()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  bool all_right() const {
    const std::uint64_t right = burn(rounds_);
    return std::all_of(answers_.begin(), answers_.end(),
                       [&](std::uint64_t each) { return each == right; });
  }

 private:
  const std::uint64_t rounds_ = rounds_of_a_job();
  clock::time_point start_;
  std::vector<std::int64_t> due_, late_, taken_;
  std::vector<std::uint64_t> answers_;
  std::atomic<std::size_t> ended_ = 0;
};

/// What a runtime is given to run; small, and copied freely.
struct job {
  jobs* of;
  std::size_t index;
  void operator()() const { of->run(index); }
};
struct long_job {
  answer_box* box;
  void operator()() const {
    const auto until = clock::now() + neighbour_time;
    while (clock::now() < until) relax();
    box->put(0);
  }
};

/// Has the runtime run one long job after another while it lives.
template <typename Runtime>
class neighbour {
 public:
  neighbour(Runtime& on, bool wanted) {
    if (wanted) thread_ = std::thread([this, &on] { run(on); });
  }
  neighbour(const neighbour&) = delete;
  neighbour& operator=(const neighbour&) = delete;
  ~neighbour() {
    stopping_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run(Runtime& on) {
    answer_box box{std::chrono::microseconds(0)};
    while (!stopping_.load(std::memory_order_relaxed)) {
      on.run(long_job{&box});
      box.take();
    }
  }

  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

template <typename Runtime>
void generate(jobs& all, Runtime& on) {
  // Timers of a thread are up to 50 us late by default, to save wake-ups.
  prctl(PR_SET_TIMERSLACK, 1);
  all.begin();
  for (std::size_t i = 0; i < all.size(); ++i) {
    all.await(i);
    on.run(job{&all, i});
  }
  all.await_last();
}

/// `on.run(job)` and `on.run(long_job)` have that called by a worker, and
/// return at once.
template <typename Runtime>
void measure(benchmark::State& state, Runtime& on) {
  const std::chrono::milliseconds length(quick() ? 50 : 500);
  for (auto _ : state) {
    jobs all(length);
    {
      const neighbour<Runtime> beside(on, state.range(0) != 0);
      std::thread generator([&] { generate(all, on); });
      generator.join();
    }
    if (!all.all_right()) return state.SkipWithError("a wrong answer");
    report(state, all.taken());
    report(state, all.late(), "late_");
    state.SetIterationTime(state.counters["p50"] * 1e-9);
  }
}

/// Alone, and beside the neighbour.
inline void sweep(benchmark::internal::Benchmark* of) {
  of->ArgName("neighbour")->Arg(0)->Arg(1)->Iterations(1)->UseManualTime();
}

}  // namespace compare::tail
