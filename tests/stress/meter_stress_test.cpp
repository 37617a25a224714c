// Meters come and go while invocations settle on workers, on threads that call,
// cancel and time out: each meter hears each one that it must hear once, none
// other, and none after it was removed, when it is destroyed.

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/engine.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using hotplate::detail::monotonic_now;
using hotplate::detail::relax;
using std::chrono::milliseconds;

struct counts final : hotplate::meter {
  ~counts() override { alive = false; }
  void on_invocation(const hotplate::metered_invocation& call) override {
    if (!alive) ++violations;
    // Of one number, a record says each generation once.
    sum += call.usage.id.number;
    if (++heard % 64 == 0) throw std::runtime_error("now and then");
  }
  static inline std::atomic<int> violations = 0;
  std::atomic<bool> alive = true;
  std::atomic<std::uint64_t> heard = 0;
  std::atomic<std::uint64_t> sum = 0;
};

class meter_stress : public testing::TestWithParam<int> {
 protected:
  // In all ways in which one may settle; returns how many have.
  std::uint64_t settle_some(int rounds, std::uint64_t& sum) {
    for (int i = 0; i < rounds; ++i) {
      sum += fast_().usage().id.number;
      sum += engine_.invoke("nobody").usage().id.number;
      auto cancelled = slow_.async();
      cancelled.cancel();
      sum += cancelled.get().usage().id.number;
      sum += calls_().usage().id.number;
    }
    return static_cast<std::uint64_t>(rounds) * 4;
  }

  hotplate::engine engine_{{.workers = GetParam()}};
  const hotplate::function<void()> fast_ =
      engine_.deploy("fast", [](context&) {});
  const hotplate::function<void()> calls_ =
      engine_.deploy("calls", [](context& ctx) { ctx.yield(); });
  const hotplate::function<void()> slow_ = engine_.deploy(
      "slow", [](context& ctx) { ctx.sleep_for(milliseconds(50)); },
      {.timeout = milliseconds(1)});
};

TEST_P(meter_stress, each_hears_all_that_settles_while_it_is_there) {
  counts whole;  // There before, and until after, everything.
  engine_.add_meter(whole);
  std::atomic<std::uint64_t> settled = 0, sum = 0;
  std::atomic<int> running = 2;

  together(4, [&](std::size_t thread) {
    if (thread < 2) {
      std::uint64_t seen = 0;
      settled += settle_some(2'000, seen);
      sum += seen;
      --running;
      return;
    }
    for (int i = 0; running > 0; ++i) {
      const auto passing = std::make_unique<counts>();
      engine_.add_meter(*passing);
      std::uint64_t mine = 0;
      const std::uint64_t least = i % 4 == 0 ? settle_some(1, mine) : 0;
      settled += least;
      sum += mine;
      engine_.remove_meter(*passing);
      const std::uint64_t heard = passing->heard;
      EXPECT_GE(heard, least);
      if (i % 16 == 0) std::this_thread::yield();
      EXPECT_EQ(passing->heard, heard) << "after it was removed";
    }
  });
  EXPECT_TRUE(engine_.remove_meter(whole));

  EXPECT_EQ(whole.heard, settled);
  EXPECT_EQ(whole.sum, sum) << "each of them once";
  EXPECT_EQ(counts::violations, 0);
  EXPECT_EQ(engine_.stats().invocations, settled);
}

INSTANTIATE_TEST_SUITE_P(workers, meter_stress, testing::Values(1, 2));

// Nothing but a worker that tells and a host that removes, so that they meet in
// each of the few instructions in which the worker enters.
TEST(meter_set_stress, no_worker_tells_a_meter_that_was_removed) {
  struct watched final : hotplate::meter {
    void on_invocation(const hotplate::metered_invocation&) override {}
    std::atomic<bool> removed = false;
  };
  hotplate::detail::meter_set meters(1);
  std::atomic<bool> done = false;
  std::atomic<int> told = 0, violations = 0;

  together(2, [&](std::size_t thread) {
    if (thread == 0) {
      while (!done) {
        meters.tell(0, [&](hotplate::meter& told_now) {
          const auto& one = static_cast<watched&>(told_now);
          // Longer than the kernel takes to interrupt it.
          for (int i = 0; i < 50'000; ++i) {
            if (one.removed.load(std::memory_order_relaxed)) ++violations;
          }
          told.store(1, std::memory_order_relaxed);
        });
      }
      return;
    }
    const std::int64_t end = monotonic_now() + 300'000'000;
    for (int i = 0; monotonic_now() < end; ++i) {
      watched one;
      meters.add(one);
      for (int turn = 0; turn < i % 64; ++turn) relax();
      EXPECT_TRUE(meters.remove(one, hotplate::detail::no_worker));
      one.removed = true;
    }
    done = true;
  });

  EXPECT_EQ(told, 1);
  EXPECT_EQ(violations, 0);
}

}  // namespace
