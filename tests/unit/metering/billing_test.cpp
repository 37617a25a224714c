#include "hotplate/billing.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "charged.hpp"

namespace {

using hotplate::charge;
using hotplate::make_bill;
using hotplate::start_kind;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
namespace books = hotplate::price_books;

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

struct event_size {
  hotplate::trigger trigger;
  std::uint32_t attempt;
  std::size_t bytes;
  std::uint64_t requests;
};

class event_size_test : public testing::TestWithParam<event_size> {};

TEST_P(event_size_test, a_large_sent_event_counts_as_several_requests) {
  const auto& [trigger, attempt, bytes, requests] = GetParam();
  auto one = used(128, milliseconds(1));
  one.trigger = trigger;
  one.attempt = attempt;
  one.event_bytes = bytes;

  EXPECT_EQ(charge(books::aws_lambda_x86(), one).requests, requests);
  EXPECT_EQ(charge(books::azure_functions(), one).requests, 1U);
}

constexpr std::size_t kib = 1024;
INSTANTIATE_TEST_SUITE_P(
    sizes, event_size_test,
    testing::Values(event_size{hotplate::trigger::event, 1, 256 * kib, 1},
                    event_size{hotplate::trigger::event, 1, 256 * kib + 1, 2},
                    event_size{hotplate::trigger::event, 1, 320 * kib, 2},
                    event_size{hotplate::trigger::event, 1, 320 * kib + 1, 3},
                    event_size{hotplate::trigger::event, 1, 1024 * kib, 13},
                    event_size{hotplate::trigger::event, 2, 1024 * kib, 1},
                    event_size{hotplate::trigger::direct, 1, 1024 * kib, 1}));

struct tiered {
  const char* what;
  hotplate::price_book book;
  double gb_seconds;
  bool free_tier;
  double cost;
};

class tier_test : public testing::TestWithParam<tiered> {};

// By hand, from the prices of each tier.
TEST_P(tier_test, a_months_gb_seconds_cost_what_their_tiers_say) {
  hotplate::billed_amount amount;
  amount.mib_ms = static_cast<std::uint64_t>(GetParam().gb_seconds * 1024'000);

  const auto bill = make_bill(GetParam().book, amount, GetParam().free_tier);

  EXPECT_NEAR(bill.lines[1].cost, GetParam().cost, 1e-6) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    bounds, tier_test,
    testing::Values(
        tiered{"all free", books::aws_lambda_x86(), 400'000, true, 0},
        tiered{"one is not", books::aws_lambda_x86(), 400'001, true,
               0.0000166667},
        tiered{"end of the first", books::aws_lambda_x86(), 6e9, false,
               100'000.2},
        tiered{"in the second", books::aws_lambda_x86(), 7e9, false, 115'000.2},
        tiered{"in the third", books::aws_lambda_x86(), 16e9, false,
               100'000.2 + 135'000 + 13'333.4},
        tiered{"free ones are the first", books::aws_lambda_x86(), 6e9 + 1e6,
               true, 100'000.2 - 400'000 * 0.0000166667 + 15},
        tiered{"arm", books::aws_lambda_arm(), 8.5e9, false,
               100'000.5 + 12'000.1},
        tiered{"google", books::google_cloud_functions(), 1'400'000, true, 2.5},
        tiered{"azure", books::azure_functions(), 1'400'000, true, 16}));

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
