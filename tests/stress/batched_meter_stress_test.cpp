// Four threads meter into rings that are too small, while their own thread and
// a host's flush: each record comes once, or was dropped and counted.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "hotplate/batched_meter.hpp"
#include "together.hpp"

namespace {

constexpr std::uint64_t threads = 4, each = 30'000;

TEST(batched_meter_stress, nothing_is_lost_and_nothing_doubled) {
  std::vector<std::uint8_t> came(threads * each);
  std::atomic<bool> inside = false;
  std::atomic<int> violations = 0;
  std::atomic<std::size_t> running = threads;
  std::uint64_t delivered = 0, dropped = 0;
  {
    hotplate::batched_meter meter(
        [&](std::span<const hotplate::metered_record> batch) {
          if (inside.exchange(true)) ++violations;
          for (const auto& record : batch) {
            const std::uint64_t number = record.usage.id.number;
            if (record.usage.event_bytes != number * 3) ++violations;
            if (++came[number & 0xffffffff] != 1) ++violations;
            ++delivered;
          }
          inside = false;
        },
        {.capacity = 256,
         .most_in_batch = 50,
         .interval = std::chrono::milliseconds(1)});
    together(threads + 1, [&](std::size_t thread) {
      if (thread == threads) {
        while (running > 0) meter.flush();
        return;
      }
      hotplate::usage used;
      for (std::uint64_t i = 0; i < each; ++i) {
        // The upper half chooses the ring: two threads share one.
        used.id.number = ((thread / 2) << 32) | (thread * each + i);
        used.event_bytes = used.id.number * 3;
        meter.on_invocation({"f", "t", used, nullptr});
      }
      --running;
    });
    meter.flush();
    dropped = meter.dropped();
    EXPECT_EQ(delivered + dropped, threads * each) << "all are out";
  }

  EXPECT_EQ(delivered + dropped, threads * each);
  EXPECT_GT(delivered, 0U);
  EXPECT_EQ(violations, 0);
}

struct pair_of_same {
  std::uint64_t first = 0, second = 0;
};

// Who fills takes its time, so that the taker finds it at it.
TEST(record_ring_stress, nobody_sees_a_record_that_is_being_filled) {
  hotplate::detail::record_ring<pair_of_same> ring(8);
  std::atomic<std::uint64_t> put = 0, sum_put = 0;
  std::atomic<int> running = 3;
  std::uint64_t taken = 0, sum_taken = 0, torn = 0;
  const auto take = [&](pair_of_same& record) {
    if (record.first != record.second) ++torn;
    ++taken;
    sum_taken += std::exchange(record, {}).second;
  };

  together(4, [&](std::size_t thread) {
    if (thread == 3) {
      while (running > 0) ring.take_all(take);
      return;
    }
    for (std::uint64_t i = 1; i <= 5'000; ++i) {
      const auto room = ring.put([&](pair_of_same& record) {
        record.first = i;
        std::this_thread::yield();
        record.second = i;
      });
      if (room == hotplate::detail::room_left::none) continue;
      ++put;
      sum_put += i;
    }
    --running;
  });
  ring.take_all(take);

  EXPECT_EQ(torn, 0U);
  EXPECT_EQ(taken, put);
  EXPECT_EQ(sum_taken, sum_put);
}

}  // namespace
