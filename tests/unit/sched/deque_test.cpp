#include "hotplate/sched/deque.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hotplate/sched/task.hpp"

namespace {

using hotplate::detail::deque;
using hotplate::detail::task;

class deque_test : public testing::Test {
 protected:
  // Pushes tasks from `first` on, up to but without `end`.
  void push(std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
      ASSERT_TRUE(tasks_.push(&all_[i]));
    }
  }

  std::vector<task> all_{5'000};
  deque tasks_;
};

TEST_F(deque_test, a_new_one_is_empty) {
  EXPECT_TRUE(tasks_.empty());
  EXPECT_EQ(tasks_.pop(), nullptr);
  EXPECT_EQ(tasks_.steal(), nullptr);
}

TEST_F(deque_test, the_owner_pops_the_newest_first) {
  push(0, 3);

  EXPECT_EQ(tasks_.pop(), &all_[2]);
  EXPECT_EQ(tasks_.pop(), &all_[1]);
  EXPECT_EQ(tasks_.pop(), &all_[0]);
  EXPECT_EQ(tasks_.pop(), nullptr);
}

TEST_F(deque_test, a_thief_steals_the_oldest_first) {
  push(0, 3);

  EXPECT_EQ(tasks_.steal(), &all_[0]);
  EXPECT_EQ(tasks_.steal(), &all_[1]);
  EXPECT_EQ(tasks_.steal(), &all_[2]);
  EXPECT_EQ(tasks_.steal(), nullptr);
}

TEST_F(deque_test, owner_and_thief_take_from_opposite_ends) {
  push(0, 4);

  EXPECT_EQ(tasks_.steal(), &all_[0]);
  EXPECT_EQ(tasks_.pop(), &all_[3]);
  EXPECT_EQ(tasks_.steal(), &all_[1]);
  EXPECT_EQ(tasks_.pop(), &all_[2]);
  EXPECT_TRUE(tasks_.empty());
}

TEST_F(deque_test, is_not_empty_until_the_last_task_is_taken) {
  push(0, 2);

  tasks_.pop();
  const bool after_one = tasks_.empty();
  tasks_.pop();

  EXPECT_FALSE(after_one);
  EXPECT_TRUE(tasks_.empty());
}

TEST_F(deque_test, can_be_filled_again_after_it_was_emptied) {
  push(0, 1);
  tasks_.pop();
  tasks_.pop();  // In vain.
  push(1, 3);

  EXPECT_EQ(tasks_.steal(), &all_[1]);
  EXPECT_EQ(tasks_.pop(), &all_[2]);
}

TEST_F(deque_test, keeps_every_task_in_order_while_it_grows) {
  push(0, all_.size());

  for (std::size_t i = all_.size(); i-- > 0;) {
    ASSERT_EQ(tasks_.pop(), &all_[i]);
  }
  EXPECT_TRUE(tasks_.empty());
}

TEST_F(deque_test, grows_when_its_ring_has_wrapped_around) {
  push(0, 200);
  for (std::size_t i = 0; i < 150; ++i) ASSERT_EQ(tasks_.steal(), &all_[i]);

  push(200, 2'000);  // The first ring holds 256.

  for (std::size_t i = 150; i < 2'000; ++i) {
    ASSERT_EQ(tasks_.steal(), &all_[i]);
  }
}

TEST_F(deque_test, its_ring_is_reused_without_end) {
  for (std::size_t i = 0; i < all_.size(); ++i) {
    push(i, i + 1);

    ASSERT_EQ(i % 2 == 0 ? tasks_.pop() : tasks_.steal(), &all_[i]);
  }
}

TEST_F(deque_test, one_that_has_grown_is_trimmed_once_nothing_is_pushed) {
  EXPECT_FALSE(tasks_.holds_many());
  push(0, 5'000);
  EXPECT_TRUE(tasks_.holds_many());

  for (int look = 0; look < 3; ++look) tasks_.trim();
  EXPECT_TRUE(tasks_.holds_many()) << "it is not empty";
  while (tasks_.pop() != nullptr) {
  }
  for (int look = 0; look < 2; ++look) tasks_.trim();

  EXPECT_FALSE(tasks_.holds_many());
}

TEST_F(deque_test, one_in_steady_use_is_not_trimmed) {
  push(0, 5'000);
  for (int look = 0; look < 10; ++look) {
    while (tasks_.pop() != nullptr) {
    }
    push(0, 10);
    tasks_.trim();
    EXPECT_TRUE(tasks_.holds_many()) << look;
  }
}

TEST_F(deque_test, one_that_was_trimmed_keeps_what_is_pushed_then) {
  for (int round = 0; round < 5; ++round) {
    push(0, 5'000);
    for (std::size_t i = 0; i < 2'000; ++i) {
      ASSERT_EQ(tasks_.steal(), &all_[i]);
    }
    tasks_.trim();
    for (std::size_t i = 5'000; i > 2'000; --i) {
      ASSERT_EQ(tasks_.pop(), &all_[i - 1]);
    }
    tasks_.trim();
    tasks_.trim();
  }
}

}  // namespace
