#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <vector>

#include "hotplate/arena/chunk_pool_hold.hpp"
#include "hotplate/sched/inbox.hpp"
#include "hotplate/sched/task.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::chunk_pool_hold;
using hotplate::detail::inbox;
using hotplate::detail::task;

struct numbered : task {
  std::size_t producer = 0;
  std::size_t number = 0;
  std::atomic<int> taken = 0;
};

/// With chunks, and such a backlog, most tasks overflow into these.
class inbox_stress_test : public testing::TestWithParam<bool> {
 protected:
  static constexpr std::size_t producers = 3;
  static constexpr std::size_t each = 100'000;

  void produce(std::size_t producer) {
    for (std::size_t i = 0; i < each; ++i) {
      numbered& made = all_[producer * each + i];
      made.producer = producer;
      made.number = i;
      ASSERT_TRUE(arrivals_.push(&made));
    }
  }

  // Calls see(task) until every task has been taken by somebody.
  template <typename See>
  void consume(const See& see) {
    std::array<task*, 32> batch{};
    while (left_ > 0) {
      const std::size_t count = arrivals_.take(batch.data(), batch.size());
      for (std::size_t i = 0; i < count; ++i) {
        see(*static_cast<numbered*>(batch[i]));
      }
      left_ -= count;
    }
  }

  std::vector<numbered> all_{producers * each};

 private:
  chunk_pool_hold chunks_{0, true};
  inbox arrivals_{GetParam() ? &*chunks_ : nullptr};
  std::atomic<std::size_t> left_ = producers * each;
};

TEST_P(inbox_stress_test, every_task_is_taken_by_one_of_several) {
  together(producers + 2, [&](std::size_t thread) {
    if (thread < producers) return produce(thread);
    consume([](numbered& got) { ++got.taken; });
  });

  for (const numbered& one : all_) ASSERT_EQ(one.taken, 1);
}

TEST_P(inbox_stress_test, each_producers_tasks_keep_their_order) {
  std::array<std::size_t, producers> next{};
  std::size_t out_of_order = 0;

  together(producers + 1, [&](std::size_t thread) {
    if (thread < producers) return produce(thread);
    consume([&](const numbered& got) {
      out_of_order += got.number != next[got.producer]++;
    });
  });

  EXPECT_EQ(out_of_order, 0U);
  for (const std::size_t count : next) EXPECT_EQ(count, each);
}

INSTANTIATE_TEST_SUITE_P(overflows, inbox_stress_test, testing::Bool());

}  // namespace
