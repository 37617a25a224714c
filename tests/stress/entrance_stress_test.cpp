#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <vector>

#include "hotplate/sched/entrance.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::entrance;
using hotplate::detail::submitted;
using hotplate::detail::task;

struct arrival : task {
  std::size_t producer = 0;
  std::size_t number = 0;
  std::atomic<int> taken = 0;
};

// Producers that now and then wait for one of theirs, as far as pushing goes.
class entrance_stress_test : public testing::Test {
 protected:
  static constexpr std::size_t producers = 2;
  static constexpr std::size_t each = 100'000;

  void produce(std::size_t producer) {
    for (std::size_t i = 0; i < each; ++i) {
      arrival& made = all_[producer * each + i];
      made.producer = producer;
      made.number = i;
      const bool waits = (i + producer) % 3 != 0;
      ASSERT_TRUE(arrivals_.push(
          &made, waits ? submitted::waited_for : submitted::alone));
    }
  }

  // Calls see(task) until every task has been taken by somebody.
  template <typename See>
  void consume(const See& see) {
    std::array<task*, 8> batch{};
    while (left_ > 0) {
      const std::size_t count = arrivals_.take(batch.data(), batch.size());
      for (std::size_t i = 0; i < count; ++i) {
        see(*static_cast<arrival*>(batch[i]));
      }
      left_ -= count;
    }
  }

  std::vector<arrival> all_{producers * each};
  entrance arrivals_;

 private:
  std::atomic<std::size_t> left_ = producers * each;
};

TEST_F(entrance_stress_test, every_task_is_taken_by_one_of_several) {
  together(producers + 2, [&](std::size_t thread) {
    if (thread < producers) return produce(thread);
    consume([](arrival& got) { ++got.taken; });
  });

  for (const arrival& one : all_) ASSERT_EQ(one.taken, 1);
  EXPECT_TRUE(arrivals_.empty());
}

TEST_F(entrance_stress_test, each_producers_tasks_keep_their_order) {
  std::array<std::size_t, producers> next{};
  std::size_t out_of_order = 0;

  together(producers + 1, [&](std::size_t thread) {
    if (thread < producers) return produce(thread);
    consume([&](const arrival& got) {
      out_of_order += got.number != next[got.producer]++;
    });
  });

  EXPECT_EQ(out_of_order, 0U);
  EXPECT_TRUE(arrivals_.empty());
}

}  // namespace
