#include "trace/generate_trace.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace {

using trace::day;
using trace::function_day;
using trace::generate_trace;

std::uint64_t total(const function_day& one) {
  return std::accumulate(one.invocations.begin(), one.invocations.end(),
                         std::uint64_t{0});
}

bool same(const function_day& a, const function_day& b) {
  for (std::size_t i = 0; i < a.durations.size(); ++i) {
    if (a.durations[i].ms != b.durations[i].ms) return false;
  }
  return a.id == b.id && a.memory_mb == b.memory_mb &&
         a.invocations == b.invocations;
}

// Of all functions, in percent.
double share_with_at_most(const day& made, std::uint64_t a_day) {
  const auto count = std::count_if(
      made.functions.begin(), made.functions.end(),
      [&](const function_day& each) { return total(each) <= a_day; });
  return 100.0 * static_cast<double>(count) /
         static_cast<double>(made.functions.size());
}

template <typename Figure>
double median(const day& made, Figure figure) {
  std::vector<double> values;
  for (const function_day& each : made.functions) {
    values.push_back(figure(each));
  }
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

TEST(generate_trace, the_same_seed_gives_the_same_day) {
  const day first = generate_trace(7);
  const day second = generate_trace(7);

  EXPECT_TRUE(std::equal(first.functions.begin(), first.functions.end(),
                         second.functions.begin(), second.functions.end(),
                         same));
}

TEST(generate_trace, another_seed_gives_another_day) {
  const day first = generate_trace(7);
  const day second = generate_trace(8);

  EXPECT_FALSE(std::equal(first.functions.begin(), first.functions.end(),
                          second.functions.begin(), second.functions.end(),
                          same));
}

class generated_day : public testing::TestWithParam<std::uint64_t> {
 protected:
  const day made_ = generate_trace(GetParam());
};
INSTANTIATE_TEST_SUITE_P(seeds, generated_day,
                         testing::Values(0, 1, 2, 3, ~std::uint64_t{0}));

TEST_P(generated_day, has_as_many_functions_and_invocations_as_the_sample) {
  EXPECT_EQ(made_.functions.size(), 860U);
  EXPECT_NEAR(static_cast<double>(made_.invocations()), 468'175, 4'681);
}

TEST_P(generated_day, leaves_most_functions_rarely_invoked) {
  EXPECT_NEAR(share_with_at_most(made_, 24), 47, 1);
  EXPECT_NEAR(share_with_at_most(made_, 1440), 91, 1);
}

TEST_P(generated_day, has_the_medians_of_the_sample) {
  EXPECT_NEAR(
      median(made_, [](const auto& one) { return one.durations[3].ms; }), 393,
      1);
  EXPECT_NEAR(median(made_, [](const auto& one) { return one.memory_mb; }), 143,
              1);
}

TEST_P(generated_day, has_functions_that_a_trace_may_have) {
  std::set<std::string> ids;
  for (const function_day& each : made_.functions) {
    EXPECT_TRUE(ids.insert(each.id).second) << each.id << " is there twice";
    EXPECT_GT(total(each), 0U) << each.id;
    EXPECT_GT(each.memory_mb, 0) << each.id;
    EXPECT_TRUE(std::is_sorted(
        each.durations.begin(), each.durations.end(),
        [](const auto& a, const auto& b) { return a.ms < b.ms; }))
        << each.id;
    EXPECT_EQ(each.durations.front().share, 0) << each.id;
    EXPECT_EQ(each.durations.back().share, 1) << each.id;
  }
}

TEST_P(generated_day, is_busier_in_the_afternoon_than_at_night) {
  std::uint64_t night = 0;
  std::uint64_t afternoon = 0;
  for (const function_day& each : made_.functions) {
    const auto* const first = each.invocations.data();
    night = std::accumulate(first + 120, first + 360, night);
    afternoon = std::accumulate(first + 840, first + 1080, afternoon);
  }

  EXPECT_GT(afternoon, night);
}

}  // namespace
