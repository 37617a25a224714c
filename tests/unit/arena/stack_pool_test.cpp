#include "hotplate/arena/stack_pool.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace {

using hotplate::detail::stack_memory;
using hotplate::detail::stack_pool;

constexpr std::size_t kibibyte = 1024;

TEST(stack_pool_test, a_class_is_the_next_power_of_two_from_16_kib_on) {
  EXPECT_EQ(stack_pool::class_of(1), stack_pool::class_of(16 * kibibyte));
  EXPECT_EQ(stack_pool::class_of(256 * kibibyte), 18);
  EXPECT_EQ(stack_pool::class_of(256 * kibibyte + 1), 19);
  EXPECT_EQ(stack_pool::class_of(stack_pool::largest), 26);
}

TEST(stack_pool_test, a_stack_is_at_least_as_large_as_asked_for) {
  stack_pool pool;
  for (std::size_t bytes = stack_pool::smallest; bytes <= stack_pool::largest;
       bytes *= 2) {
    const stack_memory stack = pool.make(stack_pool::class_of(bytes));

    EXPECT_GE(stack.size, bytes);
    EXPECT_NE(stack.bottom, nullptr);
  }
}

TEST(stack_pool_test, a_stack_can_be_written_from_its_bottom_to_its_top) {
  stack_pool pool;
  const stack_memory stack = pool.make(stack_pool::class_of(64 * kibibyte));

  std::memset(stack.bottom, 0x5a, stack.size);

  EXPECT_EQ(stack.bottom[stack.size - 1], std::byte{0x5a});
}

TEST(stack_pool_test, stacks_keep_apart_by_a_guard_of_64_kib) {
  stack_pool pool;
  std::set<std::byte*> bottoms;
  std::size_t size = 0;

  for (int i = 0; i < 2000; ++i) {  // Several reservations.
    const stack_memory stack = pool.make(stack_pool::class_of(64 * kibibyte));
    size = stack.size;
    bottoms.insert(stack.bottom);
  }

  ASSERT_EQ(bottoms.size(), 2000U);
  for (auto it = std::next(bottoms.begin()); it != bottoms.end(); ++it) {
    const auto apart = static_cast<std::size_t>(*it - *std::prev(it));
    ASSERT_GE(apart, size + 64 * kibibyte);
  }
}

TEST(stack_pool_test, counts_what_it_has_made) {
  stack_pool pool;

  pool.make(stack_pool::class_of(16 * kibibyte));
  pool.make(stack_pool::class_of(1024 * kibibyte));

  EXPECT_EQ(pool.made(), 2U);
}

// The sanitizers have handlers of their own for a touched guard.
#if !defined(HOTPLATE_ASAN) && !defined(HOTPLATE_TSAN)

void touch(std::byte* place) { *static_cast<volatile std::byte*>(place) = {}; }

TEST(stack_pool_death_test, touching_the_guard_below_a_stack_ends_the_process) {
  stack_pool pool;
  const stack_memory stack = pool.make(stack_pool::class_of(64 * kibibyte));

  EXPECT_EXIT(touch(stack.bottom - 1), testing::KilledBySignal(SIGSEGV), "");
}

TEST(stack_pool_death_test, the_guard_is_64_kib_deep) {
  stack_pool pool;
  pool.make(stack_pool::class_of(64 * kibibyte));
  const stack_memory second = pool.make(stack_pool::class_of(64 * kibibyte));

  EXPECT_EXIT(touch(second.bottom - 64 * kibibyte),
              testing::KilledBySignal(SIGSEGV), "");
}

#endif

}  // namespace
