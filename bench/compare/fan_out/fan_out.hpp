#pragma once

// Question: what does it cost a task to have 1,000 small ones run by two
// workers, of which it holds one, and to wait for all?
// Unit: ns of wall time a child, the wait included.
// Left out: starting the pool. Pools whose tasks cannot wait for others have
// the last child start the next round.

#include <benchmark/benchmark.h>

#include <atomic>
#include <numeric>
#include <vector>

#include "compare/support/answer_box.hpp"

namespace compare::fan_out {

inline constexpr int workers = 2;
inline constexpr int children = 1'000;

inline int answer(int x) { return x + 1; }

/// What the children of one round are given, and what they answer.
class round {
 public:
  round() : inputs_(children), answers_(children) {
    std::iota(inputs_.begin(), inputs_.end(), 0);
  }

  const std::vector<int>& inputs() const noexcept { return inputs_; }
  std::vector<int>& answers() noexcept { return answers_; }

  /// The work of a child.
  void run_child(int i) noexcept {
    const auto at = static_cast<std::size_t>(i);
    answers_[at] = answer(inputs_[at]);
  }

  /// Whether all have answered; forgets the answers.
  bool check() noexcept {
    bool right = true;
    for (std::size_t i = 0; i < answers_.size(); ++i) {
      right &= answers_[i] == answer(inputs_[i]);
      answers_[i] = -1;
    }
    return right;
  }

 private:
  std::vector<int> inputs_;
  std::vector<int> answers_;
};

/// `spread(round)` runs all children and waits for them.
template <typename Spread>
void measure(benchmark::State& state, const Spread& spread) {
  round each;
  while (state.KeepRunningBatch(children)) {
    spread(each);
    if (!each.check()) return state.SkipWithError("a wrong answer");
  }
  state.SetItemsProcessed(state.iterations());
}

/// For a pool whose run(callable) is all it has.
template <typename Pool>
class chain {
 public:
  chain(benchmark::State& state, Pool& pool) : state_(state), pool_(pool) {}

  void measure() {
    pool_.run([this] { start(); });
    over_.take();
    state_.SetItemsProcessed(state_.iterations());
  }

 private:
  void start() {
    if (!state_.KeepRunningBatch(children)) return over_.put(0);
    left_.store(children, std::memory_order_relaxed);
    for (int i = 0; i < children; ++i) pool_.run([this, i] { run_child(i); });
  }

  void run_child(int i) {
    round_.run_child(i);
    // acq_rel: the last child sees what all others wrote.
    if (left_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
    if (round_.check()) return start();
    state_.SkipWithError("a wrong answer");
    over_.put(0);
  }

  benchmark::State& state_;
  Pool& pool_;
  round round_;
  alignas(64) std::atomic<int> left_ = 0;
  answer_box over_{std::chrono::microseconds(0)};
};

}  // namespace compare::fan_out
