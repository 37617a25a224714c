#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "hotplate/describe.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int burst_size = 200;

/// Handlers that each have a page of stack and two chunks of arena, and wait.
class parking {
 public:
  explicit parking(hotplate::engine& engine, hotplate::affinity moves)
      : gate_(engine, 0),
        park_(engine.deploy("park",
                            [this](context& ctx, int n) {
                              auto* const kept = static_cast<int*>(
                                  ctx.arena().allocate(6'000));
                              kept[0] = kept[1'400] = n;
                              ++parked_;
                              gate_.acquire();
                              return kept[0] == n && kept[1'400] == n ? n : -1;
                            },
                            {.timeout = minutes(15), .affinity = moves})) {}

  /// So many, all waiting at once; `parked` is called until they do. True if
  /// each answers as it should.
  template <typename Wait>
  bool burst(const Wait& wait) {
    parked_ = 0;
    std::vector<hotplate::pending<int>> all;
    for (int i = 0; i < burst_size; ++i) all.push_back(park_.async(i));
    while (parked_ < burst_size) wait();
    for (int i = 0; i < burst_size; ++i) gate_.release();
    bool right = true;
    for (int i = 0; i < burst_size; ++i) {
      right &= all[static_cast<std::size_t>(i)].get().value() == i;
    }
    return right;
  }

 private:
  std::atomic<int> parked_ = 0;
  hotplate::semaphore gate_;
  hotplate::function<int(int)> park_;
};

// On a manual clock half a second passes at once, so that records are given
// back all the time while other threads look at them.
TEST(trim_stress_test, who_looks_finds_what_there_is_or_nothing) {
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  parking parks(engine, hotplate::affinity::worker);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<std::uint64_t> looks = 0;

  together(3, [&](std::size_t thread) {
    if (thread == 0) {
      for (int i = 0; i < 80 || looks < 500; ++i) {
        if (!parks.burst([&] { engine.poll(); })) ++wrong;
        for (int n = 0; n < 3; ++n) {
          engine.run_until(clock.now() + milliseconds(250));
        }
      }
      done = true;
    }
    while (!done) {
      ++looks;
      for (const auto& each : engine.in_flight()) {
        if (each.function != "park") ++wrong;
      }
    }
  });

  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(engine.stats().in_flight, 0);
}

class trim_by_watchdog_stress_test
    : public testing::TestWithParam<hotplate::affinity> {};

// Bursts, and lulls of all lengths up to that after which memory goes.
TEST_P(trim_by_watchdog_stress_test, bursts_come_while_memory_is_given_back) {
  hotplate::engine engine({.workers = 2});
  parking parks(engine, GetParam());
  const auto cancelled = engine.deploy(
      "cancelled", [](context& ctx) { ctx.sleep_for(minutes(1)); });
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;

  together(3, [&](std::size_t thread) {
    const auto end = steady_clock::now() + seconds(2);
    for (int lull = 0; thread == 0 && steady_clock::now() < end; lull += 37) {
      if (!parks.burst([] { std::this_thread::yield(); })) ++wrong;
      std::this_thread::sleep_for(milliseconds(lull % 600));
    }
    if (thread == 0) done = true;
    while (thread == 1 && !done) {
      auto one = cancelled.async();
      std::this_thread::sleep_for(milliseconds(1));
      one.cancel();
      if (one.get().code() != hotplate::errc::cancelled) ++wrong;
    }
    while (!done) {
      for (const auto& each : engine.in_flight()) {
        if (each.function.empty()) ++wrong;
      }
    }
  });

  EXPECT_EQ(wrong, 0);
  while (engine.stats().in_flight > 0) std::this_thread::yield();
}

INSTANTIATE_TEST_SUITE_P(affinities, trim_by_watchdog_stress_test,
                         testing::Values(hotplate::affinity::worker,
                                         hotplate::affinity::any));

}  // namespace
