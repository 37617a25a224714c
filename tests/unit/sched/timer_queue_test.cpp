#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <tuple>
#include <vector>

#include "hotplate/sched/timers.hpp"

namespace {

using hotplate::detail::forever;
using hotplate::detail::timer;
using hotplate::detail::timer_order;
using hotplate::detail::timer_queue;

class timer_queue_test : public testing::Test {
 protected:
  timer_queue_test() {
    for (std::size_t i = 0; i < timers_.size(); ++i) {
      timers_[i].fire = &note;
      timers_[i].target = this;
      timers_[i].token = i;
    }
  }

  void arm(std::size_t which, std::int64_t when,
           timer_order order = timer_order::deadline) {
    ASSERT_TRUE(queue_.arm(timers_[which], when, order));
  }
  void fire_all(std::int64_t now) {
    while (queue_.fire_one(now)) {
    }
  }

  using tokens = std::vector<std::uint64_t>;

  std::vector<timer> timers_{1'000};
  timer_queue queue_;
  tokens fired_;
  std::int64_t fired_at_ = 0;

 private:
  static void note(void* self, std::uint64_t token, std::int64_t now) noexcept {
    static_cast<timer_queue_test*>(self)->fired_.push_back(token);
    static_cast<timer_queue_test*>(self)->fired_at_ = now;
  }
};

TEST_F(timer_queue_test, an_empty_one_is_never_due) {
  EXPECT_EQ(queue_.next(), forever);
  EXPECT_FALSE(queue_.fire_one(forever));
}

TEST_F(timer_queue_test, nothing_fires_before_its_time) {
  arm(0, 100);

  EXPECT_FALSE(queue_.fire_one(99));
  EXPECT_TRUE(queue_.fire_one(100));

  EXPECT_EQ(fired_, tokens{0});
}

TEST_F(timer_queue_test, what_fires_is_told_the_present_time) {
  arm(0, 100);

  fire_all(170);

  EXPECT_EQ(fired_at_, 170);
}

TEST_F(timer_queue_test, a_timer_fires_once) {
  arm(0, 100);

  fire_all(200);
  fire_all(300);

  EXPECT_EQ(fired_.size(), 1U);
}

TEST_F(timer_queue_test, the_earlier_fires_first) {
  arm(0, 300);
  arm(1, 100);
  arm(2, 200);

  fire_all(300);

  EXPECT_EQ(fired_, (tokens{1, 2, 0}));
}

TEST_F(timer_queue_test, at_equal_times_the_lower_order_fires_first) {
  arm(0, 100, timer_order::keep_alive);
  arm(1, 100, timer_order::deadline);
  arm(2, 100, timer_order::completion);

  fire_all(100);

  EXPECT_EQ(fired_, (tokens{2, 1, 0}));
}

TEST_F(timer_queue_test, time_counts_for_more_than_order) {
  arm(0, 101, timer_order::completion);
  arm(1, 100, timer_order::keep_alive);

  fire_all(101);

  EXPECT_EQ(fired_, (tokens{1, 0}));
}

TEST_F(timer_queue_test, a_thousand_equal_deadlines_fire_as_they_were_armed) {
  for (std::size_t i = 0; i < 1'000; ++i) arm(i, 100);

  fire_all(100);

  tokens expected(1'000);
  std::iota(expected.begin(), expected.end(), 0U);
  EXPECT_EQ(fired_, expected);
}

TEST_F(timer_queue_test, next_is_the_earliest_time) {
  arm(0, 300);
  arm(1, 100);
  const std::int64_t with_both = queue_.next();

  queue_.disarm(timers_[1]);

  EXPECT_EQ(with_both, 100);
  EXPECT_EQ(queue_.next(), 300);
}

TEST_F(timer_queue_test, a_disarmed_timer_does_not_fire) {
  arm(0, 100);
  arm(1, 100);

  queue_.disarm(timers_[0]);
  fire_all(100);

  EXPECT_EQ(fired_, tokens{1});
}

TEST_F(timer_queue_test, disarming_what_is_not_armed_does_nothing) {
  arm(0, 100);
  fire_all(100);

  queue_.disarm(timers_[0]);
  queue_.disarm(timers_[1]);

  EXPECT_EQ(queue_.next(), forever);
}

TEST_F(timer_queue_test, arming_again_moves_a_timer) {
  arm(0, 100);
  arm(1, 200);

  arm(0, 300);
  fire_all(300);

  EXPECT_EQ(fired_, (tokens{1, 0}));
}

TEST_F(timer_queue_test, arming_again_goes_behind_its_equals) {
  arm(0, 100);
  arm(1, 100);

  arm(0, 100);
  fire_all(100);

  EXPECT_EQ(fired_, (tokens{1, 0}));
}

TEST_F(timer_queue_test, at_the_present_time_only_orders_up_to_the_last_fire) {
  arm(0, 100, timer_order::deadline);
  arm(1, 99, timer_order::deadline);

  const bool past = queue_.fire_one(100, timer_order::completion);
  const bool present = queue_.fire_one(100, timer_order::completion);

  EXPECT_TRUE(past) << "what is due before now fires whatever its order";
  EXPECT_FALSE(present);
  EXPECT_EQ(fired_, tokens{1});
}

TEST_F(timer_queue_test, any_mixture_fires_in_order_without_the_disarmed) {
  std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same on every run
  for (std::size_t i = 0; i < 1'000; ++i) {
    arm(i, random() % 200, static_cast<timer_order>(random() % 3));
  }
  for (std::size_t i = 0; i < 1'000; i += 3) queue_.disarm(timers_[i]);
  for (std::size_t i = 1; i < 1'000; i += 6) arm(i, random() % 200);

  fire_all(200);

  EXPECT_EQ(fired_.size(), 666U);
  EXPECT_TRUE(std::is_sorted(
      fired_.begin(), fired_.end(), [&](std::uint64_t a, std::uint64_t b) {
        const auto key = [&](const timer& of) {
          return std::tuple(of.when, of.order, of.number);
        };
        return key(timers_[a]) < key(timers_[b]);
      }));
}

TEST_F(timer_queue_test, a_firing_timer_may_arm_itself_again) {
  struct repeating : timer {
    timer_queue* queue;
    int left;
  } again;
  again.queue = &queue_;
  again.left = 3;
  again.target = &again;
  again.fire = [](void* self, std::uint64_t, std::int64_t now) noexcept {
    auto& it = *static_cast<repeating*>(self);
    if (--it.left > 0) it.queue->arm(it, now + 1, timer_order::completion);
  };
  queue_.arm(again, 1, timer_order::completion);

  for (std::int64_t now = 1; now <= 10; ++now) queue_.fire_one(now);

  EXPECT_EQ(again.left, 0);
}

}  // namespace
