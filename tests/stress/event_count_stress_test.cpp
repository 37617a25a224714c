#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/sched/event_count.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::bed;
using hotplate::detail::event_count;
using hotplate::detail::monotonic_now;
using hotplate::detail::relax;

// Workers that do nothing but empty slots, and sleep as the engine's do. Slots
// are filled by relaxed stores: only the fences of event_count order them. A
// publisher waits until its slot is empty again: a lost wake-up stops it.
class event_count_stress_test : public testing::Test {
 protected:
  void run(std::size_t publishers, std::size_t workers, bool search) {
    slots_ = std::vector<slot>(publishers);
    beds_ = std::vector<bed>(workers);
    publishing_ = publishers;
    together(publishers + workers, [&](std::size_t thread) {
      if (thread < workers) return serve(beds_[thread], search);
      const std::int64_t end = monotonic_now() + run_time;
      for (int i = 0; monotonic_now() < end && lost_ == 0; ++i) {
        publish(slots_[thread - workers]);
        dawdle(i);
      }
      if (--publishing_ == 0) finish();
    });
  }

  std::atomic<int> lost_ = 0;  // Sleeps that only their deadline ended.
  bool to_one_worker_ = false;

 private:
  using slot = std::atomic<int>;
  static constexpr std::int64_t run_time = 500'000'000;
  static constexpr std::int64_t patience = 2'000'000'000;

  // So that the two sides meet at every moment.
  static void dawdle(int turn) {
    for (int i = 0; i < turn % 16; ++i) relax();
  }

  void publish(slot& own) {
    own.store(1, std::memory_order_relaxed);
    if (to_one_worker_) {
      events_.notify(beds_[0]);
    } else {
      events_.notify(beds_.data(), beds_.size());
    }
    while (own.load(std::memory_order_relaxed) == 1 && lost_ == 0) relax();
  }

  void serve(bed& own, bool search) {
    int turn = 0;
    while (!finished_.load(std::memory_order_relaxed)) {
      if (take()) dawdle(++turn / 16);
      if (search && found_by_searching()) continue;
      park(own);
    }
  }

  bool take() {
    for (slot& each : slots_) {
      if (each.load(std::memory_order_relaxed) == 0) continue;
      if (each.exchange(0, std::memory_order_relaxed) == 1) return true;
    }
    return false;
  }

  bool anything_to_take() const {
    for (const slot& each : slots_) {
      if (each.load(std::memory_order_relaxed) == 1) return true;
    }
    return finished_.load(std::memory_order_relaxed);
  }

  bool found_by_searching() {
    events_.start_searching();
    for (int i = 0; i < 20 && !anything_to_take(); ++i) relax();
    events_.stop_searching();
    return anything_to_take();
  }

  void park(bed& own) {
    events_.lie_down(own);
    if (!anything_to_take()) {
      const std::int64_t deadline = monotonic_now() + patience;
      events_.sleep(own, deadline);
      if (monotonic_now() >= deadline && anything_to_take()) ++lost_;
    }
    events_.get_up(own);
  }

  void finish() {
    finished_.store(true, std::memory_order_relaxed);
    for (bed& each : beds_) events_.notify(each);
  }

  event_count events_;
  std::vector<slot> slots_;
  std::vector<bed> beds_;
  std::atomic<std::size_t> publishing_ = 0;
  std::atomic<bool> finished_ = false;
};

TEST_F(event_count_stress_test, no_wake_up_of_a_worker_lying_down_is_lost) {
  run(1, 1, false);

  EXPECT_EQ(lost_, 0);
}

TEST_F(event_count_stress_test, none_is_lost_to_a_worker_ending_its_search) {
  run(1, 1, true);

  EXPECT_EQ(lost_, 0);
}

TEST_F(event_count_stress_test, none_meant_for_one_worker_is_lost) {
  to_one_worker_ = true;

  run(1, 1, true);

  EXPECT_EQ(lost_, 0);
}

TEST_F(event_count_stress_test, none_is_lost_among_several_of_each) {
  run(2, 2, true);

  EXPECT_EQ(lost_, 0);
}

}  // namespace
