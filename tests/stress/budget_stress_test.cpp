// Cold starts of functions of many sizes on four threads, under a budget that a
// third of them fills, against expiry, failures, provisioning and redeploys:
// what lives never needs more than the budget (P3), what is in use is not
// evicted (P4), and all of it comes back (P2).

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::literals::operator""_MiB;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int functions = 12;
constexpr std::int64_t budget = 1'024;
constexpr int redeploys = 60;

struct ledger {
  std::atomic<std::int64_t> memory = 0;
  std::atomic<int> made = 0;
  std::atomic<int> destroyed = 0;
  std::atomic<int> evicted = 0;
  std::atomic<int> violations = 0;
};

struct costly {
  static inline ledger* all = nullptr;

  const std::int64_t memory;
  std::atomic<int> users = 0;

  explicit costly(hotplate::init_context& init)
      : memory(std::stoll(std::string(init.environment("memory")))) {
    if (all->memory.fetch_add(memory) + memory > budget) ++all->violations;
    if (++all->made % 17 == 0) {
      all->memory -= memory;
      ++all->destroyed;
      throw std::runtime_error("an unlucky number");
    }
  }
  costly(const costly&) = delete;
  ~costly() noexcept(false) {
    if (users != 0) ++all->violations;
    all->memory -= memory;
    if (++all->destroyed % 5 == 0) throw 5;
  }
  void on_retire(hotplate::retire_reason why) noexcept {
    if (why == hotplate::retire_reason::evicted) ++all->evicted;
  }

  void operator()(context& ctx, int number) {
    ++users;
    try {
      if (number % 3 == 0) ctx.sleep_for(microseconds(100));
      if (number % 41 == 0) ctx.sleep_for(milliseconds(30));
    } catch (...) {
      --users;
      throw;
    }
    --users;
  }
};

hotplate::function<void(int)> deploy(hotplate::engine& engine, int number) {
  const auto memory = static_cast<std::uint32_t>(128 + 32 * (number % 5));
  return engine.deploy<costly>(
      fmt::format("f{}", number),
      {.memory = {memory},
       .timeout = milliseconds(5),
       .keep_alive = milliseconds(number % 4 == 0 ? 1 : 50),
       .provisioned = number == 3 ? 1 : 0,
       .max_uses = 20,
       .instance_concurrency = number % 2 == 0 ? 1 : 3,
       .environment = {{"memory", std::to_string(memory)}}});
}

class budget_stress : public testing::TestWithParam<int> {};

TEST_P(budget_stress, the_budget_is_never_exceeded_and_comes_back) {
  ledger all;
  costly::all = &all;
  std::optional<hotplate::engine> engine(
      std::in_place, hotplate::engine_config{.workers = GetParam(),
                                             .instance_memory = 1'024_MiB});
  std::vector<hotplate::function<void(int)>> deployed;
  for (int i = 0; i < functions; ++i) deployed.push_back(deploy(*engine, i));
  std::atomic<bool> stop = false;
  std::atomic<int> answered = 0;
  std::atomic<int> throttled = 0;
  std::array<std::thread, 4> callers;
  for (std::size_t self = 0; self < callers.size(); ++self) {
    callers[self] = std::thread([&, self] {
      for (std::size_t i = self; !stop; i += 7) {
        auto pending = deployed[i % functions].async(static_cast<int>(i));
        if (i % 19 == 0) pending.cancel();
        if (pending.get().code() == errc::throttled) ++throttled;
        ++answered;
      }
    });
  }

  for (int i = 0; i < redeploys; ++i) {
    const int before = answered;
    deploy(*engine, i % functions);
    while (answered < before + 50) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& each : callers) each.join();
  engine->remove("f3");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (engine->stats().instance_memory.count > 0 &&
         std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }

  const auto stats = engine->stats();
  EXPECT_EQ(stats.instance_memory.count, 0U);
  EXPECT_LE(stats.instance_memory_peak.count, budget);
  EXPECT_EQ(stats.evictions, static_cast<std::uint64_t>(all.evicted));
  engine.reset();
  EXPECT_EQ(all.made, all.destroyed);
  EXPECT_EQ(all.memory, 0);
  EXPECT_GT(all.evicted, 0);
  EXPECT_EQ(all.violations, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, budget_stress, testing::Values(1, 2, 4));

/// Runs its own code as it ends, and so does so behind its caller's back.
struct parting {
  int uses = 0;
  ~parting() { uses = 0; }
  void operator()(context&) { ++uses; }
};

class room_stress : public testing::TestWithParam<int> {
 protected:
  // So many threads call it for a while; returns how many were refused.
  int call(const hotplate::function<void()>& called) {
    const auto end = std::chrono::steady_clock::now() + milliseconds(500);
    std::atomic<int> refused = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < GetParam(); ++i) {
      callers.emplace_back([&] {
        while (std::chrono::steady_clock::now() < end) {
          const auto outcome = called();
          if (!outcome) ++refused;
          if (outcome.code() == errc::timed_out) ++late_;
        }
      });
    }
    for (std::thread& each : callers) each.join();
    return refused;
  }

  std::atomic<int> late_ = 0;
};

// Each thread's last instance is ending, or gone, as it calls for the next one.
TEST_P(room_stress, nobody_is_refused_while_what_he_lacks_is_ending) {
  hotplate::engine engine({.workers = 4});
  hotplate::engine small(
      {.workers = 4,
       .instance_memory = {128U * static_cast<std::uint32_t>(GetParam())}});

  EXPECT_EQ(call(engine.deploy<parting>(
                "f", {.max_instances = GetParam(), .max_uses = 1})),
            0);
  EXPECT_EQ(call(small.deploy<parting>("f", {.max_uses = 1})), 0);
}

// Each gives up the idle one for a moment, finds that it is not enough, and has
// it restored: nobody else is to wait for its end.
TEST_P(room_stress, nobody_waits_for_the_end_of_what_is_restored) {
  hotplate::engine engine({.workers = 4, .instance_memory = 256_MiB});
  std::atomic<bool> held = true;
  const auto hold = engine.deploy("hold", [&] {
    while (held) std::this_thread::sleep_for(milliseconds(1));
  });
  auto holds = hold.async();
  while (engine.stats().instance_memory.count == 0) std::this_thread::yield();
  engine.deploy<parting>("idle")().value();

  const int refused =
      call(engine.deploy<parting>("large", {.memory = 256_MiB}));

  held = false;
  EXPECT_TRUE(holds.get());
  EXPECT_GT(refused, 0);
  EXPECT_EQ(late_, 0);
  EXPECT_EQ(engine.stats().evictions, 0U);
}

INSTANTIATE_TEST_SUITE_P(callers, room_stress, testing::Values(1, 3));

}  // namespace
