#include "hotplate/base/lock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

namespace {

using hotplate::detail::lock;
using hotplate::detail::lock_guard;

TEST(lock_test, is_four_bytes_small) { EXPECT_EQ(sizeof(lock), 4U); }

TEST(lock_test, can_be_taken_again_once_released) {
  lock guarded;
  int sections = 0;

  for (int i = 0; i < 3; ++i) {
    guarded.acquire();
    ++sections;
    guarded.release();
  }

  EXPECT_EQ(sections, 3);
}

TEST(lock_test, a_guard_releases_at_the_end_of_its_scope) {
  lock guarded;
  { const lock_guard hold(guarded); }

  bool entered = false;
  std::thread other([&] {
    const lock_guard hold(guarded);
    entered = true;
  });
  other.join();

  EXPECT_TRUE(entered);
}

TEST(lock_test, nobody_enters_while_it_is_held) {
  lock guarded;
  std::latch trying(1);
  std::atomic<bool> entered = false;
  guarded.acquire();

  std::thread other([&] {
    trying.count_down();
    const lock_guard hold(guarded);
    entered = true;
  });
  trying.wait();
  const bool early = entered;
  guarded.release();
  other.join();

  EXPECT_FALSE(early);
  EXPECT_TRUE(entered);
}

TEST(lock_test, what_was_written_inside_is_seen_by_the_next_holder) {
  lock guarded;
  int turns = 0;  // Not atomic: ThreadSanitizer checks the orders.
  const auto increment = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const lock_guard hold(guarded);
      ++turns;
    }
  };

  std::thread one(increment), two(increment), three(increment);
  one.join();
  two.join();
  three.join();

  EXPECT_EQ(turns, 60'000);
}

}  // namespace
