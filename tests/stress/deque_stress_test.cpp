#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/sched/deque.hpp"
#include "hotplate/sched/task.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::deque;
using hotplate::detail::monotonic_now;
using hotplate::detail::task;

struct counted : task {
  std::atomic<int> taken = 0;
  int written_by_owner = 0;  // Not atomic: ThreadSanitizer checks the orders.
};

// With one thief, who has a core of his own on most machines, and with three.
class deque_stress_test : public testing::TestWithParam<std::size_t> {
 protected:
  // Calls own(i) for i from 0 on in one thread, while the others steal; for
  // 0.3 s, or until it has no more tasks.
  template <typename Own>
  void race(const Own& own) {
    together(GetParam() + 1, [&](std::size_t thread) {
      while (thread > 0 && !all_pushed_) take(tasks_.steal());
      if (thread > 0) return;
      const std::int64_t end = monotonic_now() + 300'000'000;
      for (std::size_t i = 0; i < all_.size() && monotonic_now() < end; ++i) {
        own(i);
      }
      all_pushed_ = true;
      while (!tasks_.empty()) pop();
    });
  }

  void push(std::size_t which) {
    all_[which].written_by_owner = 1;
    ASSERT_TRUE(tasks_.push(&all_[which]));
    ++pushed_;
  }
  void pop() { take(tasks_.pop()); }

  // So that thieves come at every moment.
  static void dawdle(std::size_t turn) {
    for (std::size_t i = 0; i < turn % 8; ++i) hotplate::detail::relax();
  }

  std::size_t not_taken_once() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < pushed_; ++i) count += all_[i].taken != 1;
    return count;
  }

 private:
  void take(task* got) {
    if (got == nullptr) return;
    auto& it = *static_cast<counted*>(got);
    it.taken += it.written_by_owner;
  }

  std::vector<counted> all_{3'000'000};
  deque tasks_;
  std::size_t pushed_ = 0;
  std::atomic<bool> all_pushed_ = false;
};

TEST_P(deque_stress_test, the_last_task_is_taken_by_owner_or_thief) {
  race([&](std::size_t i) {
    push(i);
    dawdle(i);
    pop();
  });

  EXPECT_EQ(not_taken_once(), 0U);
}

TEST_P(deque_stress_test, every_task_is_taken_once_while_the_deque_grows) {
  race([&](std::size_t i) { push(i); });

  EXPECT_EQ(not_taken_once(), 0U);
}

TEST_P(deque_stress_test, every_task_is_taken_once_from_a_deque_of_a_few) {
  race([&](std::size_t i) {
    push(i);
    if (i % 4 != 3) return;
    dawdle(i / 4);
    for (int popped = 0; popped < 4; ++popped) pop();
  });

  EXPECT_EQ(not_taken_once(), 0U);
}

INSTANTIATE_TEST_SUITE_P(thieves, deque_stress_test, testing::Values(1, 3));

}  // namespace
