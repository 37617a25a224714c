#include "hotplate/base/futex.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "hotplate/base/clock_source.hpp"

namespace {

using hotplate::detail::forever;
using hotplate::detail::futex_wait;
using hotplate::detail::futex_wake;
using hotplate::detail::monotonic_now;

constexpr std::int64_t milliseconds = 1'000'000;

std::int64_t cpu_time_of_this_thread() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * 1'000'000'000 + used.tv_nsec;
}

TEST(futex_test, a_word_that_has_changed_is_not_waited_for) {
  const std::atomic<std::uint32_t> word = 1;

  futex_wait(&word, 0, forever);

  SUCCEED() << "else this would not have been reached";
}

TEST(futex_test, a_deadline_that_has_passed_is_not_waited_for) {
  const std::atomic<std::uint32_t> word = 0;

  futex_wait(&word, 0, 0);  // 0 is when the machine started.
  futex_wait(&word, 0, monotonic_now());

  SUCCEED() << "else this would not have been reached";
}

TEST(futex_test, a_wait_sleeps_until_its_deadline) {
  const std::atomic<std::uint32_t> word = 0;
  const std::int64_t deadline = monotonic_now() + 20 * milliseconds;
  const std::int64_t cpu_before = cpu_time_of_this_thread();

  while (monotonic_now() < deadline) futex_wait(&word, 0, deadline);

  const std::int64_t cpu = cpu_time_of_this_thread() - cpu_before;
  EXPECT_LT(cpu, 10 * milliseconds) << "it was polling";
}

TEST(futex_test, a_deadline_is_on_the_clock_of_monotonic_now) {
  const std::atomic<std::uint32_t> word = 0;
  const std::int64_t deadline = monotonic_now() + 2 * milliseconds;

  // A signal may end a wait early, hence more than one.
  int waits = 0;
  while (monotonic_now() < deadline && ++waits < 100) {
    futex_wait(&word, 0, deadline);
  }

  EXPECT_GE(monotonic_now(), deadline);
  EXPECT_LT(waits, 100);
}

TEST(futex_test, a_wake_ends_a_wait_without_a_deadline) {
  std::atomic<std::uint32_t> word = 0;

  std::thread sleeper([&] {
    while (word == 0) futex_wait(&word, 0);
  });
  word = 1;
  futex_wake(&word, 1);
  sleeper.join();

  SUCCEED() << "else this would not have been reached";
}

TEST(futex_test, a_wake_of_many_ends_every_wait) {
  std::atomic<std::uint32_t> word = 0;
  const auto sleep = [&] {
    while (word == 0) futex_wait(&word, 0);
  };

  std::thread one(sleep), two(sleep), three(sleep);
  word = 1;
  futex_wake(&word, 3);
  one.join();
  two.join();
  three.join();

  SUCCEED() << "else this would not have been reached";
}

}  // namespace
