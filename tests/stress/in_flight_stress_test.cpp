#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <set>
#include <string_view>

#include "hotplate/describe.hpp"
#include "hotplate/engine.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

// Records are in use again while somebody looks: what is shown of one must be
// all of the same invocation. Each handler notes whose its record is.
class in_flight_stress_test : public testing::Test {
 protected:
  static constexpr std::size_t records = 1 << 14;
  static constexpr std::string_view names[] = {"left", "right", "caller"};

  void note(const context& ctx, std::uint64_t function) {
    const std::uint64_t number = ctx.id().number;
    owners_.at(number >> 32) = (number << 32) | function;
  }

  /// Whether what is shown can be; unknown where the record has moved on.
  bool is_whole(const hotplate::invocation_info& seen) const {
    const std::uint64_t owner = owners_.at(seen.id.number >> 32);
    const bool same = owner >> 32 == (seen.id.number & 0xffff'ffff);
    return (!same || seen.function == names[owner & 3]) &&
           seen.age >= nanoseconds(0);
  }

  std::array<std::atomic<std::uint64_t>, records> owners_{};
  hotplate::engine engine_{{.workers = 2}};
};

TEST_F(in_flight_stress_test, nothing_is_shown_torn) {
  const auto left = engine_.deploy("left", [this](context& ctx, int i) {
    note(ctx, 0);
    if (i % 16 == 0) ctx.yield();
  });
  const auto right = engine_.deploy("right", [this](context& ctx, int i) {
    note(ctx, 1);
    if (i % 64 == 0) ctx.sleep_for(microseconds(20));
  });
  // Nested ones take the record that the last one left.
  const auto caller = engine_.deploy("caller", [&](context& ctx, int i) {
    note(ctx, 2);
    for (int n = i; n < i + 50; ++n) {
      (void)left(n);
      (void)right(n);
    }
    auto started = left.async(i);
    (void)started.get();
  });
  constexpr int enough = 200'000;
  std::atomic<int> torn = 0, doubled = 0, looks = 0;

  together(4, [&](std::size_t thread) {
    for (int i = 0; thread < 2 && looks < enough; ++i) (void)caller(i);
    while (looks < enough) {
      std::set<std::uint64_t> ids;
      for (const auto& each : engine_.in_flight()) {
        if (!is_whole(each)) ++torn;
        if (!ids.insert(each.id.number).second) ++doubled;
        ++looks;
      }
    }
  });

  EXPECT_EQ(torn, 0);
  EXPECT_EQ(doubled, 0);
}

}  // namespace
