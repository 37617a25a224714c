#include "hotplate/metering/histogram.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace {

using hotplate::detail::histogram;

// From 0 to 2^44 - 1, all magnitudes alike.
std::vector<std::uint64_t> random_values() {
  std::mt19937_64 random(11);  // NOLINT(cert-msc51-cpp): the same on every run
  std::vector<std::uint64_t> values(100'000);
  for (std::uint64_t& value : values) value = random() >> (20 + random() % 44);
  return values;
}

TEST(histogram_test, values_below_16_are_exact) {
  for (std::uint64_t value = 0; value < 16; ++value) {
    EXPECT_EQ(histogram::floor_of(histogram::bucket_of(value)), value);
    EXPECT_EQ(histogram::floor_of(histogram::bucket_of(value) + 1), value + 1);
  }
}

TEST(histogram_test, a_value_lies_in_its_bucket) {
  for (const std::uint64_t value : random_values()) {
    const std::size_t bucket = histogram::bucket_of(value);

    ASSERT_LE(histogram::floor_of(bucket), value);
    ASSERT_GT(histogram::floor_of(bucket + 1), value);
  }
}

TEST(histogram_test, the_floor_of_a_bucket_lies_in_it) {
  for (std::size_t bucket = 0; bucket < histogram::buckets; ++bucket) {
    ASSERT_EQ(histogram::bucket_of(histogram::floor_of(bucket)), bucket);
  }
}

TEST(histogram_test, a_bucket_is_at_most_a_16th_wide) {
  for (std::size_t bucket = 16; bucket < histogram::buckets; ++bucket) {
    const std::uint64_t from = histogram::floor_of(bucket);
    const std::uint64_t width = histogram::floor_of(bucket + 1) - from;

    ASSERT_LE(16 * width, from) << bucket;
  }
}

TEST(histogram_test, larger_values_never_go_to_lower_buckets) {
  for (const std::uint64_t value : random_values()) {
    ASSERT_LE(histogram::bucket_of(value), histogram::bucket_of(value + 1));
  }
}

TEST(histogram_test, values_beyond_the_range_count_in_the_last_bucket) {
  constexpr std::size_t last = histogram::buckets - 1;
  constexpr std::uint64_t end = std::uint64_t{1} << 44;

  EXPECT_EQ(histogram::bucket_of(end - 1), last);
  EXPECT_EQ(histogram::bucket_of(end), last);
  EXPECT_EQ(histogram::bucket_of(~std::uint64_t{0}), last);
  EXPECT_EQ(histogram::floor_of(last + 1), end) << "the range ends here";
}

TEST(histogram_test, a_new_one_has_counted_nothing) {
  const histogram counted;

  for (std::size_t bucket = 0; bucket < histogram::buckets; ++bucket) {
    ASSERT_EQ(counted.count_at(bucket), 0U);
  }
}

TEST(histogram_test, each_value_counts_in_its_bucket_alone) {
  histogram counted;

  counted.record(7);
  counted.record(1'000);
  counted.record(1'001);  // One bucket: 992 to 1,023.

  const std::size_t thousand = histogram::bucket_of(1'000);
  EXPECT_EQ(counted.count_at(7), 1U);
  EXPECT_EQ(counted.count_at(thousand), 2U);
  EXPECT_EQ(counted.count_at(thousand - 1), 0U);
  EXPECT_EQ(counted.count_at(thousand + 1), 0U);
}

TEST(histogram_test, no_value_is_lost) {
  histogram counted;

  for (const std::uint64_t value : random_values()) counted.record(value);

  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket < histogram::buckets; ++bucket) {
    sum += counted.count_at(bucket);
  }
  EXPECT_EQ(sum, random_values().size());
}

TEST(tally_test, adds_up) {
  hotplate::detail::tally sum = 40;

  hotplate::detail::add(sum, 2);

  EXPECT_EQ(hotplate::detail::read(sum), 42U);
}

}  // namespace
