#include "hotplate/batched_meter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::batched_meter;
using hotplate::metered_record;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr milliseconds no_thread{0};

/// What a callback was handed.
struct deliveries {
  batched_meter::callback callback() {
    return [this](std::span<const metered_record> batch) {
      sizes.push_back(batch.size());
      for (const metered_record& each : batch) {
        numbers.insert(each.usage.id.number);
        last = each;
      }
    };
  }
  std::vector<std::size_t> sizes;
  std::multiset<std::uint64_t> numbers;
  metered_record last;
};

void meter_one(batched_meter& meter, std::uint64_t number) {
  hotplate::usage used;
  used.id.number = number << 32;
  meter.on_invocation({"f", "", used, nullptr});
}

TEST(batched_meter_test, a_record_is_its_invocations) {
  deliveries seen;
  batched_meter meter(seen.callback(), {.interval = no_thread});
  hotplate::engine engine({.workers = 1, .meters = {&meter}});
  const auto twice =
      engine.deploy("twice", [](hotplate::context&, int x) { return 2 * x; });

  const auto outcome = twice.with({.tenant = "acme", .trace = "00-1"})(3);
  EXPECT_EQ(meter.flush(), 1U);

  EXPECT_EQ(std::string_view(seen.last.function), "twice");
  EXPECT_EQ(std::string_view(seen.last.tenant), "acme");
  EXPECT_EQ(std::string_view(seen.last.trace), "00-1");
  EXPECT_EQ(seen.last.usage.id, outcome.usage().id);
  EXPECT_EQ(seen.last.usage.duration, outcome.usage().duration);
}

TEST(batched_meter_test, a_flush_delivers_each_record_once_in_batches) {
  deliveries seen;
  batched_meter meter(seen.callback(),
                      {.most_in_batch = 40, .interval = no_thread});
  for (std::uint64_t i = 0; i < 100; ++i) meter_one(meter, i);

  EXPECT_EQ(meter.flush(), 100U);
  EXPECT_EQ(meter.flush(), 0U);

  EXPECT_EQ(seen.sizes, (std::vector<std::size_t>{40, 40, 20}));
  EXPECT_EQ(seen.numbers.size(), 100U);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(seen.numbers.count(i << 32), 1U) << i;
  }
}

TEST(batched_meter_test, what_cannot_be_done_is_refused_field_by_field) {
  std::vector<std::string> problems;
  try {
    batched_meter meter({}, {.capacity = 0,
                             .most_in_batch = 0,
                             .interval = std::chrono::milliseconds(-1)});
  } catch (const hotplate::bad_config& why) {
    problems = why.problems();
  }

  EXPECT_EQ(problems,
            (std::vector<std::string>{
                "deliver: it is null",
                "capacity = 0 records: allowed are 1 to 1073741824",
                "most_in_batch = 0 records: allowed are 1 to 1073741824",
                "interval = -1 ms: allowed are 0 to 86400000"}));
}

TEST(batched_meter_test, what_finds_no_room_is_counted) {
  deliveries seen;
  batched_meter meter(seen.callback(), {.capacity = 64, .interval = no_thread});

  for (std::uint64_t i = 0; i < 64; ++i) meter_one(meter, 7);
  EXPECT_EQ(meter.dropped(), 0U) << "all rings take what one has no room for";
  for (std::uint64_t i = 0; i < 3; ++i) meter_one(meter, 7);

  EXPECT_EQ(meter.dropped(), 3U);
  EXPECT_EQ(meter.flush(), 64U);
  meter_one(meter, 7);
  EXPECT_EQ(meter.flush(), 1U) << "there is room again";
}

TEST(batched_meter_test, its_thread_delivers_after_a_while) {
  std::atomic<std::size_t> delivered = 0;
  batched_meter meter(
      [&](std::span<const metered_record> batch) { delivered += batch.size(); },
      {.interval = milliseconds(5)});

  for (std::uint64_t round = 1; round <= 3; ++round) {
    meter_one(meter, round);
    while (delivered < round) std::this_thread::yield();
  }

  EXPECT_EQ(delivered, 3U);
}

TEST(batched_meter_test, its_thread_hurries_when_half_the_room_is_used) {
  std::atomic<std::size_t> delivered = 0;
  batched_meter meter(
      [&](std::span<const metered_record> batch) { delivered += batch.size(); },
      {.capacity = 64, .interval = hours(1)});

  for (std::uint64_t i = 0; i < 6; ++i) meter_one(meter, 7);
  // What came after the half that it fetched may stay for the hour.
  while (delivered == 0) std::this_thread::yield();

  EXPECT_EQ(meter.dropped(), 0U);
}

TEST(batched_meter_test, its_end_delivers_the_rest) {
  deliveries seen;
  {
    batched_meter meter(seen.callback(), {.interval = hours(1)});
    for (std::uint64_t i = 0; i < 100; ++i) meter_one(meter, i);
  }

  EXPECT_EQ(seen.numbers.size(), 100U);
}

TEST(batched_meter_test, a_batch_at_which_the_callback_throws_is_counted) {
  int calls = 0;
  batched_meter meter(
      [&](std::span<const metered_record>) {
        if (++calls == 1) throw std::runtime_error("collector is down");
      },
      {.most_in_batch = 10, .interval = no_thread});
  for (std::uint64_t i = 0; i < 30; ++i) meter_one(meter, i);

  EXPECT_EQ(meter.flush(), 30U);

  EXPECT_EQ(calls, 3);
  EXPECT_EQ(meter.failed(), 10U);
}

}  // namespace
