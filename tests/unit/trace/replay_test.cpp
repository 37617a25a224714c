#include "trace/replay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "trace/generate_trace.hpp"

namespace {

using hotplate::errc;
using std::chrono::minutes;
using trace::day;
using trace::replay;
using trace::replay_result;

constexpr double minute = 60;  // In seconds.

// Invocations by the minute of the day in which they come.
using counts = std::map<std::size_t, std::uint32_t>;

trace::function_day function(const counts& invocations, double memory_mb = 1024,
                             double ms = 100) {
  trace::function_day one;
  one.memory_mb = memory_mb;
  for (std::size_t i = 0; i < one.durations.size(); ++i) {
    one.durations[i] = {static_cast<double>(i) / 6, ms};
  }
  for (const auto& [at, count] : invocations) one.invocations[at] = count;
  return one;
}

day of(std::vector<trace::function_day> functions) {
  day made;
  made.functions = std::move(functions);
  return made;
}

// By the rules that make it countable by hand; keep-alive is 10 minutes.
replay_result at_once(const day& traffic) {
  return replay(traffic, {.keep_alive = minutes(10), .ignore_durations = true});
}

TEST(replay, the_first_invocation_is_cold) {
  const auto result = at_once(of({function({{3, 1}})}));

  EXPECT_EQ(result.invocations, 1U);
  EXPECT_EQ(result.cold, 1U);
  EXPECT_EQ(result.warm, 0U);
  EXPECT_EQ(result.failed, 0U);
  EXPECT_EQ(result.peak_concurrency, 1);
}

TEST(replay, the_invocations_of_a_minute_share_an_instance) {
  const auto result = at_once(of({function({{3, 5}})}));

  EXPECT_EQ(result.cold, 1U);
  EXPECT_EQ(result.warm, 4U);
}

TEST(replay, an_instance_idle_for_exactly_the_keep_alive_is_still_warm) {
  const auto result = at_once(of({function({{0, 1}, {10, 1}})}));

  EXPECT_EQ(result.cold, 1U);
  EXPECT_EQ(result.warm, 1U);
  EXPECT_DOUBLE_EQ(result.wasted_gb_seconds, (10 + 10) * minute);
}

TEST(replay, an_instance_idle_for_a_minute_more_is_gone) {
  const auto result = at_once(of({function({{0, 1}, {11, 1}})}));

  EXPECT_EQ(result.cold, 2U);
  EXPECT_EQ(result.warm, 0U);
  EXPECT_DOUBLE_EQ(result.wasted_gb_seconds, (10 + 10) * minute);
}

TEST(replay, waste_ends_with_the_next_invocation) {
  const auto result = at_once(of({function({{0, 1}, {4, 1}, {7, 1}})}));

  EXPECT_EQ(result.cold, 1U);
  EXPECT_DOUBLE_EQ(result.wasted_gb_seconds, (4 + 3 + 10) * minute);
}

TEST(replay, waste_ends_with_the_day) {
  const auto result = at_once(of({function({{1437, 1}})}));

  EXPECT_DOUBLE_EQ(result.wasted_gb_seconds, 3 * minute);
}

TEST(replay, waste_is_weighed_with_the_memory_of_the_trace) {
  const auto result = at_once(of({
      function({{100, 1}}, 512),
      function({{200, 2}}, 64),     // Less than an engine gives,
      function({{300, 1}}, 20480),  // and more.
  }));

  EXPECT_EQ(result.cold, 3U);
  EXPECT_DOUBLE_EQ(result.wasted_gb_seconds, (0.5 + 0.0625 + 20) * 10 * minute);
}

TEST(replay, each_function_has_instances_of_its_own) {
  const auto result =
      at_once(of({function({{0, 2}, {5, 1}}), function({{0, 1}, {20, 1}})}));

  ASSERT_EQ(result.functions.size(), 2U);
  EXPECT_EQ(result.functions[0].cold, 1U);
  EXPECT_EQ(result.functions[0].warm, 2U);
  EXPECT_EQ(result.functions[1].cold, 2U);
  EXPECT_EQ(result.functions[1].warm, 0U);
}

TEST(replay, without_keep_alive_no_instance_waits) {
  const auto result =
      replay(of({function({{0, 3}, {1, 1}})}),
             {.keep_alive = minutes(0), .ignore_durations = true});

  EXPECT_EQ(result.warm, 0U);
  EXPECT_EQ(result.cold, 4U);
  EXPECT_EQ(result.wasted_gb_seconds, 0);
}

TEST(replay, shares_of_cold_starts_are_those_of_invoked_functions) {
  const auto result = at_once(of({function({{0, 4}}),           // 25 %
                                  function({{0, 1}, {9, 1}}),   // 50 %
                                  function({{0, 1}, {60, 1}}),  // 100 %
                                  function({})}));              // not counted

  EXPECT_DOUBLE_EQ(result.cold_percent_p50, 50);
  EXPECT_DOUBLE_EQ(result.cold_percent_p75, 100);
  EXPECT_DOUBLE_EQ(result.cold_percent_mean, (25 + 50 + 100) / 3.0);
}

TEST(replay, a_day_without_invocations_is_replayed) {
  for (const bool ignore : {false, true}) {
    const auto result =
        replay(of({function({})}), {.ignore_durations = ignore});

    EXPECT_EQ(result.invocations, 0U);
    EXPECT_EQ(result.peak_concurrency, 0);
    EXPECT_EQ(result.wasted_gb_seconds, 0);
    EXPECT_EQ(result.cold_percent_mean, 0);
  }
}

TEST(replay, a_day_without_functions_is_replayed) {
  EXPECT_EQ(replay(of({}), {}).invocations, 0U);
}

TEST(replay, invocations_that_take_time_overlap) {
  // Within a minute, and each longer than one.
  const auto result = replay(of({function({{3, 7}}, 1024, 90'000)}), {});

  EXPECT_EQ(result.peak_concurrency, 7);
  EXPECT_EQ(result.cold, 7U);
  EXPECT_DOUBLE_EQ(result.gb_seconds, 7 * 90);
}

TEST(replay, invocations_far_apart_do_not_overlap) {
  const auto result =
      replay(of({function({{3, 1}, {6, 1}, {9, 1}}, 1024, 90'000)}), {});

  EXPECT_EQ(result.peak_concurrency, 1);
  EXPECT_EQ(result.cold, 1U);
  EXPECT_EQ(result.warm, 2U);
}

TEST(replay, waste_begins_when_an_invocation_has_ended) {
  // It arrives in the minute before midnight's last 10, and takes 5 of them.
  const auto result =
      replay(of({function({{1429, 1}}, 1024, 5 * 60'000.0)}), {});

  EXPECT_GE(result.wasted_gb_seconds, 5 * minute);
  EXPECT_LE(result.wasted_gb_seconds, 6 * minute);
}

TEST(replay, what_midnight_finds_running_is_still_counted) {
  const auto result = replay(of({function({{1439, 4}}, 1024, 600'000)}), {});

  EXPECT_EQ(result.invocations, 4U);
  EXPECT_EQ(result.failed, 0U);
  EXPECT_EQ(result.wasted_gb_seconds, 0);
}

TEST(replay, invocations_of_hours_time_out) {
  for (const double ms : {900'001.0, 7'200'000.0, 1e12, 1e300}) {
    const auto result =
        replay(of({function({{0, 1}, {700, 1}}, 1024, ms)}), {});

    EXPECT_EQ(result.invocations, 2U) << ms;
    EXPECT_EQ(result.failed, 2U) << ms;
    EXPECT_EQ(result.count(errc::timed_out), 2U) << ms;
    EXPECT_DOUBLE_EQ(result.gb_seconds, 2 * 900) << ms;
  }
}

TEST(replay, memory_is_billed_within_the_limits_of_deploy) {
  const auto result = replay(
      of({function({{0, 1}}, 20480, 1000), function({{0, 1}}, 1, 1000)}), {});

  EXPECT_DOUBLE_EQ(result.functions[0].gb_seconds, 10);
  EXPECT_DOUBLE_EQ(result.functions[1].gb_seconds, 0.125);
}

TEST(replay, durations_are_drawn_between_the_percentiles) {
  auto one = function({{0, 1000}}, 1024, 0);
  one.durations = {{{0, 1000},
                    {0.01, 1000},
                    {0.25, 1000},
                    {0.5, 2000},
                    {0.75, 3000},
                    {0.99, 3000},
                    {1, 3000}}};

  const auto result = replay(of({one}), {});

  // A quarter each at 1 and 3 s, and evenly between: 2 s on average.
  EXPECT_NEAR(result.gb_seconds, 2000, 60);
  const auto& times = result.functions[0].duration;
  EXPECT_NEAR(static_cast<double>(times.quantile(0.3)), 1.2e9, 0.15e9);
  EXPECT_NEAR(static_cast<double>(times.quantile(0.7)), 2.8e9, 0.15e9);
}

TEST(replay, the_same_seed_gives_the_same_result) {
  day traffic = trace::generate_trace(3);
  traffic.functions.resize(400);  // The least busy: sanitizers are slow.

  const auto first = replay(traffic, {.seed = 5});
  const auto second = replay(traffic, {.seed = 5});
  const auto other = replay(traffic, {.seed = 6});

  EXPECT_EQ(first.cold, second.cold);
  EXPECT_EQ(first.by_code, second.by_code);
  EXPECT_EQ(first.peak_concurrency, second.peak_concurrency);
  EXPECT_EQ(first.gb_seconds, second.gb_seconds);
  EXPECT_EQ(first.wasted_gb_seconds, second.wasted_gb_seconds);
  EXPECT_NE(first.wasted_gb_seconds, other.wasted_gb_seconds);
  EXPECT_EQ(first.invocations, traffic.invocations());
  EXPECT_EQ(first.cold + first.warm, traffic.invocations());
}

TEST(replay, progress_rises_to_the_whole) {
  for (const bool ignore : {false, true}) {
    std::vector<double> told;
    replay(of({function({{0, 1}})}),
           {.ignore_durations = ignore,
            .progress = [&](double share) { told.push_back(share); }});

    ASSERT_FALSE(told.empty());
    EXPECT_EQ(told.back(), 1.0);
    EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
  }
}

class counting_meter final : public hotplate::meter {
 public:
  void on_invocation(const hotplate::metered_invocation&) noexcept override {
    ++seen;
  }
  int seen = 0;
};

TEST(replay, meters_see_every_invocation) {
  counting_meter meter;

  replay(of({function({{0, 3}, {60, 2}})}), {.meters = {&meter}});

  EXPECT_EQ(meter.seen, 5);
}

}  // namespace
