// A handler that calls others is cancelled while it does: each of its calls
// settles once, although the one that ends says so without a locked instruction
// (P2, P4).

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::detail::monotonic_now;
using hotplate::detail::relax;

struct settled_ids final : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation& call) override {
    const std::lock_guard hold(guard);
    all.push_back(call.usage.id.number);
  }
  std::mutex guard;
  std::vector<std::uint64_t> all;
};

TEST(claim_stress, who_ends_and_who_cancels_settle_once) {
  hotplate::engine engine({.workers = 1});
  settled_ids settled;
  engine.add_meter(settled);
  std::atomic<std::uint64_t> ran = 0;
  std::atomic<bool> calling = false;
  const auto empty = engine.deploy("empty", [&](context&) { ++ran; });
  const auto caller = engine.deploy("caller", [&](context&) {
    for (;;) {
      calling.store(true, std::memory_order_relaxed);
      static_cast<void>(empty());  // Throws once this one is cancelled.
    }
  });
  constexpr int rounds = 3'000;
  int cancelled = 0;

  for (int i = 0; i < rounds; ++i) {
    calling.store(false);
    auto running = caller.async();
    while (!calling.load()) relax();
    for (const auto until = monotonic_now() + i % 2'000;
         monotonic_now() < until;)
      relax();
    running.cancel();
    if (running.get().error().code == hotplate::errc::cancelled) ++cancelled;
  }
  engine.drain(std::chrono::seconds(10));

  EXPECT_EQ(cancelled, rounds);
  std::sort(settled.all.begin(), settled.all.end());
  EXPECT_EQ(std::adjacent_find(settled.all.begin(), settled.all.end()),
            settled.all.end());
  EXPECT_GE(settled.all.size(), ran.load() + rounds);
  engine.remove_meter(settled);
}

}  // namespace
