#pragma once

// Question: what does it cost a plain thread to have a small task run by a pool
// of two workers, if it does not wait for each?
// Unit: ns of wall time a task, from the first start to the last end.
// Left out: starting the pool; the client's own thread is the third of it.

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <thread>

namespace compare::submit {

inline constexpr int workers = 2;
inline constexpr std::uint32_t window = 512;  // Most tasks started, not ended.
inline constexpr std::uint32_t tasks = 1 << 14;

/// What every task does: one answer, told to the client.
inline std::uint32_t answer(std::uint32_t x) { return x + 1; }

/// How many tasks have ended, and the sum of their answers: in one word, so
/// that each task costs one atomic addition, whatever runs it.
class tally {
 public:
  // release: whoever waits for the last task has seen what all did.
  void add(std::uint32_t answered) noexcept {
    word_.fetch_add((std::uint64_t{answered} << count_bits) + 1,
                    std::memory_order_release);
  }
  std::uint32_t ended() const noexcept {
    return word_.load(std::memory_order_acquire) & ((1 << count_bits) - 1);
  }
  std::uint64_t sum() const noexcept {
    return word_.load(std::memory_order_acquire) >> count_bits;
  }
  void reset() noexcept { word_.store(0, std::memory_order_relaxed); }

 private:
  static constexpr int count_bits = 20;
  // Written by every worker.
  alignas(64) std::atomic<std::uint64_t> word_ = 0;
};

inline std::uint64_t expected_sum() {
  std::uint64_t sum = 0;
  for (std::uint32_t x = 0; x < tasks; ++x) sum += answer(x);
  return sum;
}

/// `start(x)` has `done.add(answer(x))` called, on a worker. `pause()` is
/// called while the window is full, and at the end.
template <typename Start, typename Pause>
void measure(benchmark::State& state, tally& done, const Start& start,
             const Pause& pause) {
  const std::uint64_t expected = expected_sum();
  while (state.KeepRunningBatch(tasks)) {
    done.reset();
    std::uint32_t ended = 0;
    for (std::uint32_t x = 0; x < tasks; ++x) {
      while (x - ended >= window) {
        ended = done.ended();
        if (x - ended >= window) pause();
      }
      start(x);
    }
    while (done.ended() < tasks) pause();
    if (done.sum() != expected) return state.SkipWithError("a wrong answer");
  }
  state.SetItemsProcessed(state.iterations());
}

template <typename Start>
void measure(benchmark::State& state, tally& done, const Start& start) {
  measure(state, done, start, [] { std::this_thread::yield(); });
}

/// With a pool that runs callables.
template <typename Pool>
void measure_pool(benchmark::State& state, Pool& pool) {
  tally done;
  measure(state, done, [&](std::uint32_t x) {
    pool.run([&done, x] { done.add(answer(x)); });
  });
}

}  // namespace compare::submit
