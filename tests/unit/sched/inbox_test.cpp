#include "hotplate/sched/inbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>
#include <vector>

#include "../arena/counting_source.hpp"
#include "hotplate/sched/task.hpp"

namespace {

using hotplate::detail::inbox;
using hotplate::detail::task;

class inbox_test : public testing::Test {
 protected:
  void push(std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) {
      ASSERT_TRUE(arrivals_.push(&all_[i]));
    }
  }
  // Takes up to `most`.
  std::vector<task*> take(std::size_t most) {
    std::vector<task*> taken(most);
    taken.resize(arrivals_.take(taken.data(), most));
    return taken;
  }

  std::array<task, 500> all_{};
  inbox arrivals_;
};

TEST_F(inbox_test, a_new_one_is_empty) {
  EXPECT_TRUE(arrivals_.empty());
  EXPECT_TRUE(take(10).empty());
}

TEST_F(inbox_test, one_threads_tasks_come_out_as_they_went_in) {
  push(0, all_.size());

  const auto taken = take(all_.size());

  ASSERT_EQ(taken.size(), all_.size());
  for (std::size_t i = 0; i < taken.size(); ++i) EXPECT_EQ(taken[i], &all_[i]);
}

TEST_F(inbox_test, no_more_are_taken_than_asked_for) {
  push(0, 5);

  const std::size_t first = take(3).size();
  const std::size_t rest = take(3).size();

  EXPECT_EQ(first, 3U);
  EXPECT_EQ(rest, 2U);
  EXPECT_TRUE(arrivals_.empty());
}

TEST_F(inbox_test, is_not_empty_while_it_holds_a_task) {
  push(0, 1);

  EXPECT_FALSE(arrivals_.empty());
}

TEST_F(inbox_test, what_a_thread_left_behind_is_there_after_its_end) {
  std::thread([&] { push(0, 50); }).join();
  std::thread([&] { push(50, 100); }).join();

  EXPECT_EQ(take(100).size(), 100U);
}

/// So many that they overflow into chunks.
class overflowing_inbox_test : public testing::Test {
 protected:
  void expect_next(std::size_t end) {
    for (task* got[7];;) {
      const std::size_t count = arrivals_.take(got, std::size(got));
      if (count == 0) break;
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(got[i], &all_[next_]) << next_;
        ++next_;
      }
    }
    EXPECT_EQ(next_, end);
    EXPECT_TRUE(arrivals_.empty());
  }
  void push(std::size_t end) {
    for (; pushed_ < end; ++pushed_) {
      ASSERT_TRUE(arrivals_.push(&all_[pushed_]));
    }
  }

  std::vector<task> all_ = std::vector<task>(30'000);
  counting_source source_;
  std::size_t pushed_ = 0;
  std::size_t next_ = 0;
  inbox arrivals_{&source_};
};

TEST_F(overflowing_inbox_test, many_come_out_as_they_went_in) {
  push(10'000);
  expect_next(10'000);

  push(10'500);
  task* first = nullptr;
  ASSERT_EQ(arrivals_.take(&first, 1), 1U);
  EXPECT_EQ(first, &all_[next_++]);
  push(all_.size());

  expect_next(all_.size());
}

TEST_F(overflowing_inbox_test, what_many_needed_is_given_back) {
  push(all_.size());
  EXPECT_GT(source_.out, 10);
  EXPECT_FALSE(arrivals_.empty());

  expect_next(all_.size());

  EXPECT_EQ(source_.out, 0);
}

TEST_F(overflowing_inbox_test, without_memory_it_refuses_and_loses_nothing) {
  source_.run_dry();
  std::size_t taken_in = 0;
  while (arrivals_.push(&all_[taken_in])) ++taken_in;

  EXPECT_GE(taken_in, 512U) << "it has memory at hand";
  expect_next(taken_in);
  EXPECT_TRUE(arrivals_.push(&all_[0]));
}

}  // namespace
