#include "hotplate/sched/stack_switch.hpp"

#include <gtest/gtest.h>

#include <cfenv>
#include <cstdint>
#include <utility>
#include <vector>

#include "strand.hpp"

namespace {

// Of SSE and of x87.
std::pair<double, long double> fractions() {
  volatile double one = 1;
  volatile long double long_one = 1;
  return {one / 3, long_one / 7};  // Neither is exact, both nearest below.
}

TEST(stack_switch_test, rounds_as_it_did_before_others_ran) {
  const auto near = fractions();
  std::vector<std::pair<double, long double>> seen;
  strand up([&](strand& self) {
    std::fesetround(FE_UPWARD);
    seen.push_back(fractions());
    self.pause();
    seen.push_back(fractions());
  });
  strand other([&](strand&) { seen.push_back(fractions()); });

  up.go_on();
  seen.push_back(fractions());
  other.go_on();
  up.go_on();
  seen.push_back(fractions());

  const auto above = seen.front();
  EXPECT_GT(above.first, near.first);
  EXPECT_GT(above.second, near.second);
  EXPECT_EQ(seen, (std::vector{above, near, near, above, near}));
}

// Compilers count on it where they keep vectors on the stack.
TEST(stack_switch_test, a_fresh_stack_is_aligned_as_after_a_call) {
  std::uintptr_t rest = 1;
  strand fresh([&](strand&) {
    alignas(16) volatile char vector[16] = {};
    rest = reinterpret_cast<std::uintptr_t>(&vector[0]) % 16;
  });

  fresh.go_on();

  EXPECT_EQ(rest, 0U);
}

}  // namespace
