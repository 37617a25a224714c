#include "hotplate/base/clock_source.hpp"

#include <gtest/gtest.h>
#include <sched.h>

namespace {

using hotplate::manual_clock;
using hotplate::detail::clock_source;
using hotplate::detail::monotonic_now;
using std::chrono::nanoseconds;

constexpr std::int64_t milliseconds = 1'000'000;

// Another core's counter may be a little behind.
void stay_on_this_core() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<std::size_t>(sched_getcpu()), &here);
  ASSERT_EQ(sched_setaffinity(0, sizeof here, &here), 0);
}

void expect_close_to_monotonic_clock(const clock_source& source) {
  const std::int64_t before = monotonic_now();
  const std::int64_t read = source.now();
  const std::int64_t after = monotonic_now();

  EXPECT_GE(read, before - milliseconds);
  EXPECT_LE(read, after + milliseconds);
}

TEST(clock_source_test, never_goes_back_on_one_core) {
  const clock_source source(nullptr);
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  stay_on_this_core();

  std::int64_t last = source.now();
  bool went_back = false;
  for (int i = 0; i < 200'000; ++i) {
    const std::int64_t now = source.now();
    went_back |= now < last;
    last = now;
  }

  EXPECT_FALSE(went_back);
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

TEST(clock_source_test, goes_on) {
  const clock_source source(nullptr);
  const std::int64_t start = source.now();

  std::int64_t reads = 0;
  while (source.now() == start && reads < 100'000'000) ++reads;

  EXPECT_GT(source.now(), start);
}

TEST(clock_source_test, reads_what_the_kernels_monotonic_clock_does) {
  const clock_source source(nullptr);

  EXPECT_FALSE(source.manual());
  expect_close_to_monotonic_clock(source);
}

TEST(clock_source_test, still_does_after_it_was_anchored_again) {
  clock_source source(nullptr);
  const std::int64_t refined = source.now() + 12 * milliseconds;
  while (source.now() < refined) hotplate::detail::relax();

  source.anchor();

  expect_close_to_monotonic_clock(source);
}

TEST(clock_source_test, a_manual_one_moves_only_when_it_is_advanced) {
  manual_clock clock;
  const clock_source source(&clock);

  const std::int64_t first = source.now();
  const std::int64_t second = source.now();
  clock.advance(nanoseconds(42));

  EXPECT_EQ(first, 0);
  EXPECT_EQ(second, 0);
  EXPECT_EQ(source.now(), 42);
}

TEST(clock_source_test, a_manual_one_never_counts) {
  manual_clock clock;
  clock_source source(&clock);

  source.anchor();

  EXPECT_TRUE(source.manual());
  EXPECT_FALSE(source.counting());
  EXPECT_EQ(source.now(), 0);
}

TEST(manual_clock_test, advancing_to_an_earlier_time_changes_nothing) {
  manual_clock clock;
  clock.advance_to(hotplate::time_point(nanoseconds(100)));

  clock.advance_to(hotplate::time_point(nanoseconds(60)));

  EXPECT_EQ(clock.now().time_since_epoch(), nanoseconds(100));
}

}  // namespace
