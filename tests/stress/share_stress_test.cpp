// Up to three invocations share an instance, from four threads, against
// timeouts, cancelling, expiry and redeploys: never more than three, and none
// on an instance that has been retired (P4). That nobody joins one on which an
// invocation has failed, share_test shows: handlers cannot tell who was first.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"
#include "hotplate/keep_alive.hpp"

namespace {

using hotplate::context;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int most = 3;
constexpr int max_uses = 40;
constexpr int max_instances = 5;
constexpr int redeploys = 60;

struct counts {
  std::atomic<int> made = 0;
  std::atomic<int> destroyed = 0;
  std::atomic<int> violations = 0;
  std::atomic<int> most_at_once = 0;
};

struct crowded {
  static inline counts* all = nullptr;

  std::atomic<int> users = 0;
  std::atomic<int> uses = 0;
  std::atomic<bool> retired = false;
  std::atomic<bool> ready = false;

  crowded() {
    ++all->made;
    ready = true;
  }
  crowded(const crowded&) = delete;
  ~crowded() {
    if (users != 0 || !retired) ++all->violations;
    ++all->destroyed;
  }
  void on_retire(hotplate::retire_reason) noexcept {
    if (users != 0) ++all->violations;
    retired = true;
  }

  void operator()(context& ctx, int number) {
    const int now = ++users;
    if (now > most || retired || !ready || ++uses > max_uses) {
      ++all->violations;
    }
    if (now > all->most_at_once) all->most_at_once = now;
    try {
      if (number % 2 == 0) ctx.sleep_for(microseconds(200));
      if (number % 61 == 0) ctx.sleep_for(milliseconds(60));
    } catch (...) {
      --users;
      throw;
    }
    --users;
  }
};

/// Shared by the versions; keeps for no time, a moment, or a little longer.
struct whimsical final : hotplate::keep_alive_policy {
  void on_invoke(hotplate::time_point, bool) noexcept override { ++calls; }
  nanoseconds on_idle(hotplate::time_point) noexcept override {
    return microseconds(100 * (calls % 5));
  }
  nanoseconds tick(hotplate::time_point, nanoseconds) noexcept override {
    return ++calls % 2 == 0 ? nanoseconds(0) : microseconds(50);
  }
  std::atomic<int> calls = 0;
};

class share_stress : public testing::TestWithParam<int> {};

TEST_P(share_stress, instances_are_shared_by_so_many_and_not_once_retired) {
  counts all;
  crowded::all = &all;
  const auto policy = std::make_shared<whimsical>();
  const auto deploy = [&](hotplate::engine& on) {
    return on.deploy<crowded>("f", {.timeout = milliseconds(10),
                                    .keep_alive_by = policy,
                                    .max_instances = max_instances,
                                    .max_uses = max_uses,
                                    .instance_concurrency = most});
  };
  std::optional<hotplate::engine> engine(
      std::in_place, hotplate::engine_config{.workers = GetParam()});
  const auto f = deploy(*engine);
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0;
  std::array<std::thread, 4> callers;
  for (std::thread& each : callers) {
    each = std::thread([&] {
      for (int i = 0; !stop; i += 2) {
        auto first = f.async(i);
        auto second = f.async(i + 1);
        if (i % 34 == 0) first.cancel();
        static_cast<void>(first.get());
        static_cast<void>(second.get());
        answered += 2;
      }
    });
  }

  for (int i = 0; i < redeploys; ++i) {
    const int before = answered;
    i % 5 == 4 ? static_cast<void>(engine->roll_back("f"))
               : static_cast<void>(deploy(*engine));
    while (answered < before + 50) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& each : callers) each.join();
  engine.reset();

  EXPECT_EQ(all.made, all.destroyed);
  EXPECT_GT(all.most_at_once, 1);
  EXPECT_EQ(all.violations, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, share_stress, testing::Values(1, 2, 4));

}  // namespace
