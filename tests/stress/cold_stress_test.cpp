// Cold starts on several workers at once, which count and list their instances
// apart: never more than allowed, nobody refused while there is room, each
// retired once, and all of it seen, while others look and redeploy (P2, P3,
// P4).

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "hotplate/engine.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int workers = 4;
constexpr int cold_callers = 4;
constexpr int most_cold = 4 * workers + 2;

struct tally {
  std::atomic<int> alive = 0;
  std::atomic<int> made = 0;
  std::atomic<int> retired = 0;
  std::atomic<int> violations = 0;
};

struct brief {
  static inline tally* all = nullptr;

  bool told = false;

  brief() {
    if (++all->alive > most_cold) ++all->violations;
    if (++all->made % 29 != 0) return;
    --all->alive;
    ++all->retired;
    throw 29;
  }
  brief(const brief&) = delete;
  ~brief() {
    if (!told) ++all->violations;
    --all->alive;
  }
  void on_retire(hotplate::retire_reason) noexcept {
    if (std::exchange(told, true)) ++all->violations;
    ++all->retired;
  }
  void operator()(context& ctx, int number) {
    if (number % 3 == 0) ctx.sleep_for(microseconds(number % 200));
    if (number % 13 == 0) throw number;
  }
};

/// Ends without code of its own, so in one step. What it holds is seen to be
/// its own alone.
struct silent {
  std::uint64_t first = 1;
  std::uint64_t second = 1;
  void operator()(context& ctx, int number, std::atomic<int>* violations) {
    if (first != second) ++*violations;
    first += static_cast<std::uint64_t>(number);
    if (number % 3 == 0) ctx.sleep_for(microseconds(number % 100));
    second += static_cast<std::uint64_t>(number);
    if (first != second) ++*violations;
  }
};

class cold_stress : public testing::TestWithParam<hotplate::affinity> {
 protected:
  cold_stress() { brief::all = &all_; }

  hotplate::function<void(int)> deploy_brief() {
    return engine_.deploy<brief>("brief", {.timeout = seconds(60),
                                           .keep_alive = milliseconds(0),
                                           .max_instances = most_cold,
                                           .affinity = GetParam()});
  }
  auto deploy_silent() {
    return engine_.deploy<silent>("silent", {.timeout = seconds(60),
                                             .keep_alive = milliseconds(1),
                                             .max_uses = 2,
                                             .affinity = GetParam()});
  }
  bool is_bare() {
    for (const auto& each : engine_.functions()) {
      if (each.instances > 0) return false;
    }
    return true;
  }

  tally all_;
  hotplate::engine engine_{{.workers = workers}};
};

TEST_P(cold_stress, instances_are_counted_and_limited_over_all_workers) {
  constexpr int turns = 1'500;
  const auto called = deploy_brief();
  const auto quiet = deploy_silent();
  std::atomic<int> throttled = 0;
  std::atomic<bool> stop = false;
  std::thread operating([&] {
    for (int i = 0; !stop; ++i) {
      static_cast<void>(engine_.describe());
      if (i % 8 == 0) deploy_silent();
      for (const auto& each : engine_.functions()) {
        if (each.name == "brief" && each.instances > most_cold) {
          ++all_.violations;
        }
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
  });

  together(cold_callers, [&](std::size_t self) {
    for (int i = 0; i < turns; ++i) {
      const int number = i * cold_callers + static_cast<int>(self);
      // As many as the limit at most: none of all these is to be refused.
      auto first = called.async(number);
      auto second = called.async(number + 1);
      auto third = called.async(number + 2);
      auto fourth = quiet.async(number, &all_.violations);
      if (first.get().code() == errc::throttled) ++throttled;
      if (second.get().code() == errc::throttled) ++throttled;
      if (third.get().code() == errc::throttled) ++throttled;
      static_cast<void>(fourth.get());
    }
  });
  stop = true;
  operating.join();

  const auto end = std::chrono::steady_clock::now() + seconds(10);
  while (!is_bare() && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(is_bare());
  EXPECT_EQ(throttled, 0);
  EXPECT_EQ(all_.alive, 0);
  EXPECT_EQ(all_.made, all_.retired);
  EXPECT_EQ(all_.violations, 0);
}

// More than the limit at once, from whichever worker: as many get in as may,
// though the rooms lie in the accounts of others.
TEST_P(cold_stress, every_room_is_found_wherever_it_lies) {
  const auto called = deploy_brief();
  for (int round = 0; round < 50; ++round) {
    together(cold_callers, [&](std::size_t self) {
      for (int i = 0; i < 20; ++i) {
        static_cast<void>(called(1 + static_cast<int>(self)));
      }
    });
    std::vector<hotplate::pending<void>> asleep;
    for (int i = 0; i < most_cold; ++i) asleep.push_back(called.async(9999));
    for (auto& each : asleep) EXPECT_NE(each.get().code(), errc::throttled);
  }
  EXPECT_EQ(all_.violations, 0);
}

INSTANTIATE_TEST_SUITE_P(affinities, cold_stress,
                         testing::Values(hotplate::affinity::worker,
                                         hotplate::affinity::any));

}  // namespace
