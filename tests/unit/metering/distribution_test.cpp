#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "hotplate/metering/histogram.hpp"
#include "hotplate/stats.hpp"

namespace {

using hotplate::distribution;
using hotplate::detail::histogram;

distribution of_exact(std::initializer_list<std::uint64_t> values) {
  distribution made;
  for (const std::uint64_t value : values) made.add(value, value + 1, 1);
  return made;
}

TEST(distribution_test, of_nothing_has_quantiles_of_zero) {
  const distribution nothing;

  EXPECT_EQ(nothing.count(), 0U);
  EXPECT_EQ(nothing.quantile(0.5), 0U);
}

TEST(distribution_test, of_exact_values_has_exact_quantiles) {
  const auto values = of_exact({1, 2, 3, 4, 5});

  EXPECT_EQ(values.quantile(0), 1U);
  EXPECT_EQ(values.quantile(0.5), 3U);
  EXPECT_EQ(values.quantile(1), 5U);
}

TEST(distribution_test, does_not_depend_on_the_order_of_its_ranges) {
  const auto values = of_exact({5, 1, 4, 2, 3});

  EXPECT_EQ(values.quantile(0), 1U);
  EXPECT_EQ(values.quantile(0.5), 3U);
  EXPECT_EQ(values.quantile(1), 5U);
}

TEST(distribution_test, can_be_added_to_after_it_was_asked) {
  auto values = of_exact({10, 20, 30});
  ASSERT_EQ(values.quantile(0), 10U);

  values.add(5, 6, 1);

  EXPECT_EQ(values.quantile(0), 5U);
  EXPECT_EQ(values.count(), 4U);
}

TEST(distribution_test, answers_with_the_middle_of_a_range) {
  distribution values;

  values.add(100, 200, 7);

  EXPECT_EQ(values.quantile(0.1), 150U);
  EXPECT_EQ(values.quantile(0.9), 150U);
}

TEST(distribution_test, weighs_ranges_by_their_counts) {
  distribution values;

  values.add(10, 11, 90);
  values.add(1'000, 1'001, 10);

  EXPECT_EQ(values.quantile(0.5), 10U);
  EXPECT_EQ(values.quantile(0.89), 10U);
  EXPECT_EQ(values.quantile(0.95), 1'000U);
}

TEST(distribution_test, takes_shares_outside_0_to_1_for_the_ends) {
  const auto values = of_exact({1, 2, 3});

  EXPECT_EQ(values.quantile(-1), 1U);
  EXPECT_EQ(values.quantile(2), 3U);
}

TEST(distribution_test, from_a_histogram_is_at_most_3_2_percent_off) {
  std::mt19937_64 random(5);  // NOLINT(cert-msc51-cpp): the same on every run
  std::lognormal_distribution<double> times(13, 2);  // Some 0.4 ms.
  std::vector<std::uint64_t> exact(10'001);
  distribution values;
  for (std::uint64_t& one : exact) {
    one = static_cast<std::uint64_t>(times(random));
    const std::size_t bucket = histogram::bucket_of(one);
    values.add(histogram::floor_of(bucket), histogram::floor_of(bucket + 1), 1);
  }

  std::sort(exact.begin(), exact.end());

  for (const double q : {0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto right = static_cast<double>(
        exact[static_cast<std::size_t>(std::floor(q * 10'000))]);
    EXPECT_NEAR(static_cast<double>(values.quantile(q)), right, right * 0.032);
  }
}

TEST(function_stats_test, what_is_not_ok_is_an_error) {
  hotplate::function_stats stats;
  stats.by_code[static_cast<std::size_t>(hotplate::errc::ok)] = 5;
  stats.by_code[static_cast<std::size_t>(hotplate::errc::throttled)] = 2;
  stats.by_code[static_cast<std::size_t>(hotplate::errc::timed_out)] = 1;

  EXPECT_EQ(stats.invocations(), 8U);
  EXPECT_EQ(stats.errors(), 3U);
  EXPECT_EQ(stats.count(hotplate::errc::throttled), 2U);
}

}  // namespace
