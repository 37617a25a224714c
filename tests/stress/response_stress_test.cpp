#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <vector>

#include "hotplate/arena/chunk_pool_hold.hpp"
#include "hotplate/engine.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::outcome;
using hotplate::payload;

constexpr std::size_t threads = 4;

class response_stress_test : public testing::TestWithParam<int> {
 protected:
  static constexpr std::size_t limit = std::size_t{512} << 10;

  std::unique_ptr<hotplate::engine> made() const {
    return std::make_unique<hotplate::engine>(hotplate::engine_config{
        .workers = GetParam(), .max_held_response_bytes = limit});
  }
  static payload fill(context& ctx, std::size_t bytes) {
    payload response(ctx.arena(), bytes);
    std::memset(response.writable().data(), static_cast<int>(bytes % 251),
                bytes);
    return response;
  }
  static bool is_whole(const payload& of) {
    const auto bytes = of.bytes();
    const auto mark = static_cast<std::byte>(of.size() % 251);
    return bytes.front() == mark && bytes.back() == mark;
  }
  // Another each time, in chunks of 8 to 64 KiB.
  static std::size_t size(std::size_t thread, std::size_t i) {
    return 4097 + (i * 7919 + thread * 104'729) % 60'000;
  }
};

TEST_P(response_stress_test, who_is_refused_is_told_and_all_comes_back) {
  const auto engine = made();
  const auto make = engine->deploy("make", &fill);
  std::atomic<std::size_t> refused = 0, broken = 0;

  together(threads, [&](std::size_t thread) {
    std::vector<outcome<payload>> kept;
    for (std::size_t i = 0; i < 1'000; ++i) {
      kept.push_back(make(size(thread, i)));
      if (!kept.back()) {
        if (kept.back().code() != errc::resource_exhausted) ++broken;
        ++refused;
        kept.clear();
      } else if (!is_whole(kept.back().value())) {
        ++broken;
      }
    }
  });

  EXPECT_EQ(broken, 0U);
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(engine->stats().held_response_bytes, 0U);
}

// The engine's end meets those of its last responses.
TEST_P(response_stress_test, they_end_on_any_thread_beside_the_engine) {
  for (std::size_t round = 0; round < 50; ++round) {
    auto engine = made();
    const auto make = engine->deploy("make", &fill);
    std::vector<std::vector<outcome<payload>>> of_thread(threads);
    for (auto& each : of_thread) {
      for (std::size_t i = 0; i < 2; ++i) {
        each.push_back(make(size(round, i)));
        ASSERT_TRUE(each.back());
      }
    }

    together(threads + 1, [&](std::size_t thread) {
      if (thread == threads) {
        engine.reset();
        return;
      }
      for (const auto& each : of_thread[thread]) {
        EXPECT_TRUE(is_whole(each.value()));
      }
      of_thread[thread].clear();
    });
  }
}

// Where one would do, all but one of those that ask are always refused.
TEST(held_stress_test, never_more_is_held_than_the_limit_allows) {
  constexpr std::size_t chunk = 8192;
  const hotplate::detail::chunk_pool_hold pool(chunk, true);
  std::atomic<bool> done = false;
  std::atomic<std::size_t> got = 0, most = 0;

  together(threads + 1, [&](std::size_t thread) {
    for (int i = 0; thread == threads && (i < 300'000 || got < 1'000); ++i) {
      most = std::max(most.load(), pool->held_bytes());
    }
    if (thread == threads) done = true;
    while (!done) {
      const auto taken = pool->detach(chunk);
      if (taken.start == nullptr) continue;
      ++got;
      pool->rejoin(taken.start, chunk, false);
    }
  });

  EXPECT_LE(most, chunk);
  EXPECT_EQ(pool->held_bytes(), 0U);
}

INSTANTIATE_TEST_SUITE_P(workers, response_stress_test,
                         testing::Values(1, 2, 4));

}  // namespace
