#include "hotplate/billing.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace {

using hotplate::charge;
using hotplate::make_bill;
using hotplate::start_kind;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
namespace books = hotplate::price_books;

hotplate::usage used(std::uint32_t memory_mib, nanoseconds duration,
                     nanoseconds init = nanoseconds(0)) {
  hotplate::usage one;
  one.memory_mib = memory_mib;
  one.start = init.count() == 0 ? start_kind::warm : start_kind::cold;
  one.duration = duration;
  one.init = init;
  return one;
}

hotplate::billed_amount times(std::uint64_t count,
                              const hotplate::billed_amount& one) {
  return {one.requests * count, one.mib_ms * count, one.mhz_ms * count};
}

TEST(billing, three_million_of_120_ms_at_512_mib_are_180000_gb_seconds) {
  const auto book = books::aws_lambda_x86();
  const auto month =
      times(3'000'000, charge(book, used(512, milliseconds(120))));

  const auto bill = make_bill(book, month);

  EXPECT_DOUBLE_EQ(month.gb_seconds(), 180'000);
  EXPECT_DOUBLE_EQ(bill.total, 2 * 0.20) << "compute is within the free tier";
  EXPECT_NEAR(make_bill(book, month, false).total,
              3 * 0.20 + 180'000 * 0.0000166667, 1e-9);
}

TEST(billing, what_never_started_is_not_billed) {
  hotplate::usage throttled = used(128, milliseconds(0));
  throttled.start = start_kind::none;

  for (const auto& book : books::all()) {
    EXPECT_EQ(charge(book, throttled).requests, 0U) << book.name;
  }
}

struct rounding {
  hotplate::price_book book;
  hotplate::usage used;
  std::uint64_t mib_ms;
  std::uint64_t mhz_ms;
};

class rounding_test : public testing::TestWithParam<rounding> {};

TEST_P(rounding_test, each_invocation_is_rounded_as_its_provider_does) {
  const auto& [book, usage, mib_ms, mhz_ms] = GetParam();

  const auto amount = charge(book, usage);

  EXPECT_EQ(amount.requests, 1U);
  EXPECT_EQ(amount.mib_ms, mib_ms) << book.name;
  EXPECT_EQ(amount.mhz_ms, mhz_ms) << book.name;
}

INSTANTIATE_TEST_SUITE_P(
    providers, rounding_test,
    testing::Values(
        rounding{books::aws_lambda_x86(), used(128, nanoseconds(1)), 128, 0},
        rounding{books::aws_lambda_x86(), used(128, milliseconds(1)), 128, 0},
        rounding{books::aws_lambda_x86(), used(128, microseconds(1001)), 256,
                 0},
        rounding{books::aws_lambda_arm(),
                 used(1000, milliseconds(5), milliseconds(87)), 92'000, 0},
        rounding{books::google_cloud_functions(), used(128, milliseconds(1)),
                 12'800, 20'000},
        rounding{books::google_cloud_functions(), used(300, milliseconds(101)),
                 60'000, 160'000},
        rounding{books::google_cloud_functions(), used(9000, milliseconds(100)),
                 900'000, 480'000},
        rounding{books::azure_functions(), used(129, milliseconds(3)), 25'600,
                 0},
        rounding{books::azure_functions(), used(128, microseconds(100'001)),
                 128 * 101, 0},
        rounding{books::azure_functions(), used(4096, milliseconds(200)),
                 1536 * 200, 0}));

TEST(billing, later_units_are_cheaper) {
  const auto book = books::aws_lambda_x86();
  hotplate::billed_amount amount;
  amount.mib_ms = 20'000'000'000ULL * 1024 * 1000;  // 20 billion GB-seconds

  const auto bill = make_bill(book, amount, false);

  EXPECT_NEAR(bill.total,
              6e9 * 0.0000166667 + 9e9 * 0.000015 + 5e9 * 0.0000133334, 1e-3);
}

TEST(billing, the_free_tier_is_taken_off_each_line) {
  const auto book = books::google_cloud_functions();
  const auto month =
      times(3'000'000, charge(book, used(512, milliseconds(300))));

  const auto bill = make_bill(book, month);

  ASSERT_EQ(bill.lines.size(), 3U);
  EXPECT_NEAR(bill.lines[0].cost, 0.40, 1e-9);
  EXPECT_NEAR(bill.lines[1].cost, (450'000 - 400'000) * 0.0000025, 1e-9);
  EXPECT_NEAR(bill.lines[2].cost, (720'000 - 200'000) * 0.00001, 1e-9);
  EXPECT_NEAR(bill.total, 0.40 + 0.125 + 5.2, 1e-9);
}

TEST(billing, every_book_names_its_source_and_date) {
  for (const auto& book : books::all()) {
    EXPECT_FALSE(book.source.empty()) << book.name;
    EXPECT_EQ(book.date, "2026-11") << book.name;
  }
}

TEST(ledger, adds_up_what_several_threads_enter) {
  hotplate::ledger account(books::all());
  const auto one = used(128, milliseconds(10));
  const auto enter = [&](const char* function) {
    for (int i = 0; i < 10'000; ++i) {
      account.on_invocation({function, "", one, nullptr});
    }
  };

  std::thread other(enter, "a");
  enter("b");
  other.join();

  EXPECT_EQ(account.bills()[0].amount.requests, 20'000U);
  EXPECT_EQ(account.bills()[0].amount.mib_ms, 20'000U * 128 * 10);
  EXPECT_EQ(account.by_function(3).front().amount.mib_ms, 10'000U * 128 * 100);
  EXPECT_EQ(account.lost(), 0U);
}

}  // namespace
