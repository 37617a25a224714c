#include "hotplate/sched/fiber_source.hpp"

#include <gtest/gtest.h>

#include "hotplate/sched/scheduler.hpp"

namespace {

using hotplate::detail::fiber;
using hotplate::detail::fiber_source;
using hotplate::detail::stack_pool;

class fiber_source_test : public testing::Test {
 protected:
  static constexpr std::uint8_t stacks = 16;

  // Never run.
  fiber* make() {
    return source_.make(stacks, shared_.workers[0],
                        fiber::ground([](fiber&) {}));
  }

  hotplate::detail::clock_source time_{nullptr};
  hotplate::detail::shared_sched shared_{time_, 1, 0, nullptr, nullptr};
  stack_pool& pool_ = shared_.stacks;
  fiber_source& source_ = shared_.fibers;
};

TEST_F(fiber_source_test, who_wakes_late_wakes_nobody_on_the_same_stack) {
#if defined(HOTPLATE_TSAN)
  GTEST_SKIP() << "the runtime does not end a fiber that has never run";
#endif
  fiber* const before = make();
  std::uint32_t wait = 0;
  for (int i = 0; i < 3; ++i) wait = before->arm();
  source_.give_back(*before);

  fiber* const after = make();

  ASSERT_EQ(after, before);
  EXPECT_FALSE(after->wake(wait));
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(after->arm(), wait);
    EXPECT_FALSE(after->wake(wait));
  }
}

TEST_F(fiber_source_test, who_wakes_one_that_was_given_back_wakes_nobody) {
#if defined(HOTPLATE_TSAN)
  GTEST_SKIP() << "the runtime does not end a fiber that has never run";
#endif
  fiber* const gone = make();
  const std::uint32_t wait = gone->arm();
  source_.give_back(*gone);
  while (pool_.trim()) {
  }

  EXPECT_FALSE(gone->wake(wait));
  EXPECT_EQ(gone->home(), nullptr);
}

TEST_F(fiber_source_test, any_of_several_can_be_given_back) {
#if defined(HOTPLATE_TSAN)
  GTEST_SKIP() << "the runtime does not end a fiber that has never run";
#endif
  fiber* const all[] = {make(), make(), make()};

  for (const int i : {1, 0, 2}) source_.give_back(*all[i]);

  EXPECT_EQ(pool_.made(), 0U);
}

}  // namespace
