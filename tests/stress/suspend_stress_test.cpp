#include "hotplate/suspend.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "together.hpp"

namespace {

using hotplate::context;
using std::chrono::microseconds;
using std::chrono::seconds;

class suspend_stress_test : public testing::TestWithParam<int> {
 protected:
  static constexpr int rounds = 400;
  hotplate::engine engine_{{.workers = GetParam()}};
};

// Threads, handlers, handlers that are cancelled and handlers that run out of
// time, all in one line: the permit goes to exactly one at a time, and is never
// lost.
TEST_P(suspend_stress_test, a_permit_survives_every_way_out_of_the_line) {
  hotplate::fiber_mutex mutex(engine_);
  std::atomic<int> inside = 0, wrong = 0;
  const auto enter = engine_.deploy("enter", [&](context& ctx, int us) {
    if (us > 0) {
      if (!mutex.try_lock_for(microseconds(us))) return;
    } else {
      mutex.lock();
    }
    const std::lock_guard hold(mutex, std::adopt_lock);
    wrong += inside++ != 0 ? 1 : 0;
    const std::unique_ptr<std::atomic<int>, void (*)(std::atomic<int>*)> leave(
        &inside, [](std::atomic<int>* count) { --*count; });
    ctx.yield();
  });

  together(3, [&](std::size_t thread) {
    for (int i = 0; i < rounds; ++i) {
      if (thread == 0) {
        const std::lock_guard hold(mutex);
        wrong += inside++ != 0 ? 1 : 0;
        --inside;
      } else if (thread == 1) {
        auto a = enter.async(i % 40), b = enter.async(0);
        b.cancel();
      } else {
        (void)enter.with({.deadline = engine_.now() + microseconds(i % 60)})(0);
      }
    }
  });

  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(mutex.try_lock());
}

TEST_P(suspend_stress_test, what_is_sent_is_received_once) {
  hotplate::channel<int> items(engine_, 2);
  std::atomic<std::int64_t> sent = 0, received = 0;
  const auto send = engine_.deploy("send", [&](context&, int n) {
    if (items.send(n)) sent += n;
  });
  const auto receive = engine_.deploy("receive", [&](context&) {
    while (auto item = items.receive()) received += *item;
  });
  const auto take = engine_.deploy("take", [&](context& ctx) {
    const auto item = items.receive_until(ctx.now() + microseconds(20));
    received += item.value_or(0);
  });
  auto receiving = receive.async();

  together(3, [&](std::size_t thread) {
    for (int i = 1; i <= rounds; ++i) {
      if (thread == 0) {
        (void)send(i);
      } else if (thread == 1) {
        (void)take();
      } else if (items.send(i)) {
        sent += i;
      }
    }
  });
  items.close();

  EXPECT_TRUE(receiving.get());
  EXPECT_EQ(received, sent);
}

// The waiter leaves, and takes its memory along, while others tell it.
TEST_P(suspend_stress_test, waiting_for_several_meets_settling_and_destroying) {
  const auto nap = engine_.deploy("nap", [](context& ctx, int us) {
    if (us > 0) ctx.sleep_for(microseconds(us));
    return us;
  });
  const auto race = engine_.deploy("race", [&](context& ctx, int i) {
    std::vector<hotplate::pending<int>> started;
    for (const int us : {i % 7, 0, i % 3}) started.push_back(nap.async(us));
    if (i % 5 == 0) started[0].cancel();
    return hotplate::wait_any_until(ctx.now() + microseconds(i % 50), started);
  });
  std::atomic<int> failed = 0;

  together(3, [&](std::size_t) {
    for (int i = 0; i < rounds; ++i) {
      if (!race(i)) ++failed;
      auto a = nap.async(i % 11);
      auto b = nap.async(i % 13);
      if (hotplate::wait_any(a, b) > 1) ++failed;
    }
  });

  EXPECT_EQ(failed, 0);
  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
}

INSTANTIATE_TEST_SUITE_P(workers, suspend_stress_test,
                         testing::Values(0, 1, 2, 4));

}  // namespace
