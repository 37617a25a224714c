#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <vector>

#include "hotplate/sched/timers.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::forever;
using hotplate::detail::timer;
using hotplate::detail::timer_order;
using hotplate::detail::timer_queue;

constexpr std::size_t most_arms = 500;

// A timer and what became of each time it was armed; the token is its number.
struct watched : timer {
  watched() {
    target = this;
    fire = [](void* self, std::uint64_t arming, std::int64_t now) noexcept {
      auto& it = *static_cast<watched*>(self);
      ++it.fired[arming];
      if (now < it.due[arming]) ++it.early;
    };
  }

  void arm(timer_queue& queue, std::int64_t at) {
    queue.disarm(*this);  // Only then may the token change.
    token = ++armed;
    due[armed] = at;
    ASSERT_TRUE(queue.arm(*this, at, timer_order::deadline));
  }

  std::array<std::atomic<int>, most_arms + 1> fired{};
  std::array<std::atomic<std::int64_t>, most_arms + 1> due{};
  std::atomic<int> early = 0;
  std::size_t armed = 0;
  bool disarmed = false;  // Since it was armed last.
};

class timer_queue_stress_test : public testing::Test {
 protected:
  static constexpr std::size_t owners = 3;
  static constexpr std::size_t each = 100;

  // Arms and disarms the timers of one owner, in random order.
  void use_timers_of(std::size_t owner) {
    std::minstd_rand random(static_cast<unsigned>(owner) + 1);
    for (std::size_t i = 0; i < each * most_arms; ++i) {
      watched& one = all_[owner * each + random() % each];
      one.disarmed = random() % 3 == 0 || one.armed == most_arms;
      if (one.disarmed) {
        queue_.disarm(one);
      } else {
        one.arm(queue_, now_ + static_cast<std::int64_t>(random() % 1'000));
      }
    }
    --busy_;
  }

  void fire_while_time_passes() {
    while (busy_ > 0) queue_.fire_one(++now_);
  }
  void fire_the_rest() {
    while (queue_.fire_one(forever - 1)) {
    }
  }

  std::vector<watched> all_{owners * each};

 private:
  timer_queue queue_;
  std::atomic<std::int64_t> now_ = 0;
  std::atomic<std::size_t> busy_ = owners;
};

TEST_F(timer_queue_stress_test, each_arming_fires_at_most_once_and_not_early) {
  together(owners + 2, [&](std::size_t thread) {
    if (thread < owners) return use_timers_of(thread);
    fire_while_time_passes();
  });
  fire_the_rest();

  for (const watched& one : all_) {
    for (const auto& count : one.fired) ASSERT_LE(count, 1);
    EXPECT_EQ(one.early, 0);
  }
}

TEST_F(timer_queue_stress_test, what_was_armed_last_and_left_armed_fires) {
  together(owners + 2, [&](std::size_t thread) {
    if (thread < owners) return use_timers_of(thread);
    fire_while_time_passes();
  });
  fire_the_rest();

  for (const watched& one : all_) {
    ASSERT_TRUE(one.disarmed || one.fired[one.armed] == 1);
  }
}

}  // namespace
