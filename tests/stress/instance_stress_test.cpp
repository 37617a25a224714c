// Invocations from four threads against redeploys, roll backs, provisioning,
// expiry, failures and limits: instances balance, none is used by two or after
// it failed, and there are never more than allowed (P2, P3, P4).

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <optional>
#include <stdexcept>
#include <thread>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr int max_instances = 6;
constexpr int max_uses = 50;
constexpr int redeploys = 60;

struct counts {
  std::atomic<int> made = 0;
  std::atomic<int> destroyed = 0;
  std::atomic<int> retired = 0;
  std::atomic<int> violations = 0;
  std::array<std::atomic<int>, redeploys + 2> alive{};  // By version.
};

struct strained {
  static inline counts* all = nullptr;

  const std::uint32_t version;
  std::atomic<bool> busy = false;
  bool failed = false;
  int uses = 0;
  bool told = false;

  explicit strained(hotplate::init_context& init) : version(init.version()) {
    if (++all->made % 13 == 0) {
      ++all->destroyed;
      ++all->retired;
      throw std::runtime_error("an unlucky number");
    }
    if (++all->alive[version] > max_instances) ++all->violations;
  }
  strained(const strained&) = delete;
  ~strained() {
    if (!told || busy) ++all->violations;
    --all->alive[version];
    ++all->destroyed;
  }
  void on_retire(hotplate::retire_reason) noexcept {
    told = true;
    ++all->retired;
  }

  std::uint32_t operator()(context& ctx, int number) {
    if (busy.exchange(true) || failed || ++uses > max_uses) {
      ++all->violations;
    }
    failed = true;  // Unless it gets to the end.
    try {
      if (number % 7 == 0) ctx.sleep_for(microseconds(300));
      if (number % 31 == 0) ctx.sleep_for(milliseconds(30));
    } catch (...) {
      busy = false;
      throw;
    }
    failed = false;
    busy = false;
    if (number % 11 == 0) throw number;
    return version;
  }
};

hotplate::function<std::uint32_t(int)> deploy(hotplate::engine& engine) {
  return engine.deploy<strained>("f", {.timeout = milliseconds(5),
                                       .keep_alive = milliseconds(2),
                                       .max_instances = max_instances,
                                       .provisioned = 2,
                                       .max_uses = max_uses});
}

class instance_stress : public testing::TestWithParam<int> {};

TEST_P(instance_stress, instances_balance_whatever_happens) {
  counts all;
  strained::all = &all;
  std::optional<hotplate::engine> engine(
      std::in_place, hotplate::engine_config{.workers = GetParam()});
  const auto f = deploy(*engine);
  std::atomic<bool> stop = false;
  std::atomic<int> misrouted = 0;
  std::atomic<int> answered = 0;
  std::array<std::thread, 4> callers;
  for (std::thread& each : callers) {
    each = std::thread([&] {
      for (int i = 0; !stop; ++i) {
        auto pending = f.async(i);
        if (i % 17 == 0) pending.cancel();
        const auto outcome = pending.get();
        ++answered;
        if (outcome && outcome.value() != outcome.usage().version) ++misrouted;
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
  EXPECT_EQ(all.retired, all.destroyed);
  EXPECT_EQ(all.violations, 0);
  EXPECT_EQ(misrouted, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, instance_stress, testing::Values(1, 2, 4));

}  // namespace
