#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "hotplate/base/lock.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::lock;
using hotplate::detail::lock_guard;

// Neither is atomic: ThreadSanitizer checks the orders.
struct guarded {
  lock access;
  int inside = 0;
  int turns = 0;
};

// Returns whether it was alone.
bool take_turn(guarded& shared, bool slowly) {
  const lock_guard hold(shared.access);
  const bool alone = ++shared.inside == 1;
  ++shared.turns;
  if (slowly) std::this_thread::yield();
  return (--shared.inside == 0) && alone;
}

TEST(lock_stress_test, nobody_is_ever_inside_with_another) {
  constexpr int turns = 100'000;
  guarded shared;
  std::atomic<int> company = 0;

  together(4, [&](std::size_t) {
    for (int i = 0; i < turns; ++i) company += !take_turn(shared, false);
  });

  EXPECT_EQ(company, 0);
  EXPECT_EQ(shared.turns, 4 * turns);
}

TEST(lock_stress_test, those_who_sleep_for_it_are_all_woken) {
  constexpr int turns = 10'000;
  guarded shared;
  std::atomic<int> company = 0;

  together(4, [&](std::size_t) {
    for (int i = 0; i < turns; ++i) company += !take_turn(shared, true);
  });

  EXPECT_EQ(company, 0);
  EXPECT_EQ(shared.turns, 4 * turns);
}

}  // namespace
