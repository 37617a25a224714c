#include "hotplate/suspend.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <mutex>
#include <vector>

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::fiber_mutex;
using hotplate::semaphore;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

class suspend_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(suspend_test, a_mutex_is_held_across_a_suspension_by_one_at_a_time) {
  fiber_mutex mutex(engine_);
  int inside = 0, most = 0, entered = 0;
  const auto enter = engine_.deploy("enter", [&](context& ctx) {
    const std::lock_guard hold(mutex);
    most = std::max(most, ++inside);
    ctx.yield();
    --inside;
    ++entered;
  });
  std::vector<hotplate::pending<void>> started;
  for (int i = 0; i < 100; ++i) started.push_back(enter.async());

  hotplate::wait_all(started);

  EXPECT_EQ(entered, 100);
  EXPECT_EQ(most, 1);
}

TEST_P(suspend_test, a_thread_and_a_handler_take_turns) {
  fiber_mutex mutex(engine_);
  bool held = false;
  const auto enter = engine_.deploy("enter", [&](context& ctx) {
    const std::lock_guard hold(mutex);
    held = true;
    ctx.sleep_for(milliseconds(1));
    held = false;
  });
  auto started = enter.async();

  for (int i = 0; i < 20; ++i) {
    const std::lock_guard hold(mutex);
    EXPECT_FALSE(held);
    hotplate::yield(engine_);
  }

  EXPECT_TRUE(started.get());
}

TEST_P(suspend_test, who_waits_for_a_mutex_is_thrown_out_at_the_timeout) {
  fiber_mutex mutex(engine_);
  const auto enter = engine_.deploy(
      "enter", [&](context&) { const std::lock_guard hold(mutex); },
      {.timeout = milliseconds(10)});
  mutex.lock();

  EXPECT_EQ(enter().code(), errc::timed_out);

  engine_.drain(seconds(10));
  EXPECT_FALSE(mutex.try_lock());
  mutex.unlock();
  EXPECT_TRUE(mutex.try_lock()) << "nobody is left in line";
}

TEST_P(suspend_test, who_waits_for_a_mutex_can_be_cancelled) {
  fiber_mutex mutex(engine_);
  const auto enter = engine_.deploy(
      "enter", [&](context&) { const std::lock_guard hold(mutex); });
  mutex.lock();
  auto started = enter.async();
  started.wait_until(engine_.now() + milliseconds(5));

  started.cancel();

  EXPECT_EQ(started.get().code(), errc::cancelled);
  EXPECT_TRUE(engine_.drain(seconds(1)).running.empty());
}

TEST_P(suspend_test, a_destructor_gets_its_lock_although_its_handler_is_over) {
  fiber_mutex mutex(engine_);
  std::atomic<bool> entered = false, cleaned = false;
  const auto work = engine_.deploy("work", [&](context& ctx) {
    struct cleaner {
      fiber_mutex& mutex;
      std::atomic<bool>& cleaned;
      ~cleaner() {
        const std::lock_guard hold(mutex);
        cleaned = true;
      }
    } guard{mutex, cleaned};
    entered = true;
    ctx.sleep_for(seconds(100));
  });
  mutex.lock();
  auto started = work.async();
  while (!entered) hotplate::yield(engine_);
  started.cancel();
  EXPECT_EQ(started.get().code(), errc::cancelled);
  hotplate::sleep_for(engine_, milliseconds(5));
  EXPECT_FALSE(cleaned);

  mutex.unlock();

  EXPECT_TRUE(engine_.drain(seconds(10)).running.empty());
  EXPECT_TRUE(cleaned);
}

TEST_P(suspend_test, a_bounded_wait_for_a_mutex_ends_in_time) {
  fiber_mutex mutex(engine_);
  const auto enter = engine_.deploy(
      "enter", [&](context&) { return mutex.try_lock_for(milliseconds(5)); });
  mutex.lock();

  EXPECT_FALSE(enter().value());
  EXPECT_FALSE(mutex.try_lock_for(milliseconds(1)));

  mutex.unlock();
  EXPECT_TRUE(enter().value());
}

TEST_P(suspend_test, a_full_semaphore_stays_full) {
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  semaphore permits(engine_, most);

  permits.release();

  EXPECT_TRUE(permits.try_acquire());
}

TEST_P(suspend_test, a_semaphore_lets_in_as_many_as_it_has_permits) {
  semaphore permits(engine_, 3);
  std::atomic<int> inside = 0, over = 0;
  const auto enter = engine_.deploy("enter", [&](context& ctx) {
    permits.acquire();
    if (++inside > 3) ++over;
    ctx.yield();
    --inside;
    permits.release();
  });
  std::vector<hotplate::pending<void>> started;
  for (int i = 0; i < 100; ++i) started.push_back(enter.async());

  hotplate::wait_all(started);

  EXPECT_EQ(over, 0);
  EXPECT_TRUE(permits.try_acquire_for(seconds(0)));
}

INSTANTIATE_TEST_SUITE_P(workers, suspend_test, testing::Values(0, 1, 2, 4));

class suspend_pump_test : public testing::Test {
 protected:
  hotplate::manual_clock clock_;
  std::vector<int> log_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(suspend_pump_test, those_in_line_are_served_in_order) {
  fiber_mutex mutex(engine_);
  const auto enter = engine_.deploy("enter", [&](context& ctx, int n) {
    const std::lock_guard hold(mutex);
    ctx.sleep_for(milliseconds(10));
    log_.push_back(n);
  });
  for (int i = 0; i < 5; ++i) auto dropped = enter.async(i);

  engine_.run_until_idle();

  EXPECT_THAT(log_, ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(clock_.now().time_since_epoch(), milliseconds(50));
}

TEST_F(suspend_pump_test, one_that_gives_up_leaves_the_line) {
  semaphore permits(engine_, 0);
  const auto enter = engine_.deploy("enter", [&](context&, int n, int ms) {
    if (permits.try_acquire_for(milliseconds(ms))) log_.push_back(n);
  });
  { auto a = enter.async(1, 900), b = enter.async(2, 10); }
  { auto c = enter.async(3, 900); }
  engine_.run_for(milliseconds(20));

  permits.release();
  permits.release();
  engine_.run_until_idle();

  EXPECT_THAT(log_, ElementsAre(1, 3));
}

TEST_F(suspend_pump_test, suspended_time_is_metered) {
  semaphore permits(engine_, 0);
  const auto enter =
      engine_.deploy("enter", [&](context&) { permits.acquire(); });
  auto started = enter.async();
  engine_.run_for(milliseconds(20));

  permits.release();
  const auto outcome = started.get();

  EXPECT_EQ(outcome.usage().suspended, milliseconds(20));
  EXPECT_EQ(outcome.usage().duration, milliseconds(20));
}

TEST_F(suspend_pump_test, time_passes_for_a_thread_that_sleeps) {
  hotplate::sleep_for(engine_, seconds(5));

  EXPECT_EQ(clock_.now().time_since_epoch(), seconds(5));
}

TEST_F(suspend_pump_test, a_thread_that_would_wait_forever_is_told_so) {
  semaphore permits(engine_, 0);

  EXPECT_THROW(permits.acquire(), hotplate::bad_outcome);

  permits.release();
  EXPECT_NO_THROW(permits.acquire()) << "it has left the line";
}

}  // namespace
