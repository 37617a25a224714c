#include <gtest/gtest.h>

#include <atomic>
#include <barrier>

#include "hotplate/sched/fiber.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::fiber;

TEST(wake_stress_test, each_wait_is_ended_by_exactly_one) {
  constexpr std::size_t wakers = 3;
  constexpr int rounds = 10'000;
  fiber waiting;
  std::uint32_t wait = 0;
  int wins = 0;  // Not atomic: the winner of a round is alone.
  std::barrier next_round(wakers, [&]() noexcept { wait = waiting.arm(); });

  together(wakers, [&](std::size_t) {
    for (int i = 0; i < rounds; ++i) {
      next_round.arrive_and_wait();
      if (waiting.wake(wait)) ++wins;
    }
  });

  EXPECT_EQ(wins, rounds);
}

TEST(wake_stress_test, a_waker_from_an_earlier_wait_never_wins) {
  constexpr int rounds = 200'000;
  fiber waiting;
  std::atomic<std::uint32_t> stale = waiting.arm();
  std::atomic<bool> over = false;
  std::atomic<int> wins = 0;
  ASSERT_TRUE(waiting.wake(stale));

  together(3, [&](std::size_t thread) {
    while (thread > 0 && !over) wins += waiting.wake(stale);
    for (int i = 0; thread == 0 && i < rounds; ++i) {
      const std::uint32_t wait = waiting.arm();
      wins += !waiting.wake(wait);
      stale = wait;
    }
    over = true;
  });

  EXPECT_EQ(wins, 0);
}

}  // namespace
