#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

// P5: how late a caller hears `timed_out`, beside a thread that does nothing
// but wait as long, since no engine is more punctual than its machine.

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using latenesses = std::vector<nanoseconds>;

constexpr int rounds = 200;
constexpr milliseconds patience(3);

nanoseconds p99(latenesses all) {
  std::sort(all.begin(), all.end());
  return all[all.size() * 99 / 100];
}

latenesses of_a_bare_thread() {
  std::mutex mutex;
  std::condition_variable never;
  latenesses all;
  for (int i = 0; i < rounds; ++i) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::unique_lock hold(mutex);
    never.wait_until(hold, until, [] { return false; });
    all.push_back(std::chrono::steady_clock::now() - until);
  }
  return all;
}

/// Measures both side by side. On a busy machine one measurement says little;
/// an engine that is late by itself is so in all of them.
template <typename Measure>
void expect_punctual(const Measure& measure) {
  constexpr int measurements = 5;
  for (int i = 1; i <= measurements; ++i) {
    latenesses bare;
    std::thread waiting([&] { bare = of_a_bare_thread(); });
    const latenesses callers = measure();
    waiting.join();

    ASSERT_EQ(callers.size(), std::size_t{rounds}) << "all were answered";
    std::printf("p99 lateness: %.3f ms, bare thread: %.3f ms\n",
                static_cast<double>(p99(callers).count()) / 1e6,
                static_cast<double>(p99(bare).count()) / 1e6);
    if (p99(callers) <= milliseconds(5) + p99(bare)) return;
  }
  ADD_FAILURE() << "later than 5 ms in each of " << measurements;
}

// Both workers held for good, and no spare thread to take over.
TEST(lateness, callers_behind_held_workers_hear_it_in_time) {
  std::atomic<bool> stop = false;
  std::atomic<int> holding = 0;
  engine on({.workers = 2, .max_spare_threads = 0});
  const auto hog = on.deploy("hog",
                             [&](context&) {
                               ++holding;
                               while (!stop) {
                               }
                             },
                             {.timeout = seconds(600)});
  const auto quick = on.deploy("quick", [](context&) {});
  hog.async().detach();
  hog.async().detach();
  while (holding < 2) std::this_thread::yield();

  expect_punctual([&] {
    latenesses callers;
    for (int i = 0; i < rounds; ++i) {
      const auto deadline = on.now() + patience;
      const auto late = quick.with({.deadline = deadline})();
      if (late.code() != errc::timed_out) continue;
      callers.push_back(on.now() - deadline);
    }
    return callers;
  });
  stop = true;
}

struct stopwatch final : hotplate::meter {
  void on_invocation(
      const hotplate::metered_invocation& call) noexcept override {
    if (call.usage.status == errc::timed_out) {
      late.push_back(call.usage.duration - patience);
    }
  }
  latenesses late;
};

// Nobody waits for these: the watchdog alone sees to their deadlines. Handlers
// that never suspend hold the other worker, too.
TEST(lateness, the_watchdog_ends_in_time_what_never_suspends) {
  stopwatch meter;
  std::atomic<bool> stop = false;
  engine on({.workers = 2, .max_spare_threads = 0, .meters = {&meter}});
  on.deploy("hog",
            [&](context&) {
              while (!stop) {
              }
            },
            {.timeout = seconds(600)})
      .async()
      .detach();
  const auto spin = on.deploy("spin",
                              [](context& ctx) {
                                while (!ctx.cancelled()) {
                                }
                              },
                              {.timeout = patience});

  expect_punctual([&] {
    meter.late.clear();
    for (int i = 0; i < rounds; ++i) {
      spin.async().detach();
      while (on.stats().in_flight > 1) {
        std::this_thread::sleep_for(patience / 3);
      }
    }
    return meter.late;
  });
  stop = true;
}

}  // namespace
