#include <gtest/gtest.h>

#include "charged.hpp"

// What reservations and the invocations that they serve are charged.

namespace {

using hotplate::charge;
using hotplate::make_bill;
using hotplate::start_kind;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
namespace books = hotplate::price_books;

hotplate::usage on(start_kind start, hotplate::usage one) {
  one.start = start;
  return one;
}

hotplate::reservation reserved(std::int64_t instances, nanoseconds time) {
  return {.version = 1,
          .memory_mib = 1024,
          .instances = instances,
          .time = time,
          .ended = true};
}

struct reserving {
  nanoseconds time;
  std::uint64_t seconds;
};

class reserving_test : public testing::TestWithParam<reserving> {};

TEST_P(reserving_test, each_reservation_is_rounded_up_to_five_minutes) {
  const auto amount =
      charge(books::aws_lambda_x86(), reserved(10, GetParam().time));

  EXPECT_EQ(amount.reserved_mib_ms, GetParam().seconds * 1000 * 10 * 1024);
  EXPECT_EQ(amount.requests, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    times, reserving_test,
    testing::Values(reserving{nanoseconds(0), 0},
                    reserving{nanoseconds(1), 300},
                    reserving{std::chrono::minutes(5), 300},
                    reserving{std::chrono::minutes(5) + nanoseconds(1), 600},
                    reserving{std::chrono::hours(2), 7'200}));

// AWS's own example, by hand: 1 GB, 100 reserved for 2 hours are 720,000 GB-s,
// at $0.0000041667 $3.00; a million of 100 ms on them are 100,000 GB-s, at
// $0.0000097222 $0.97222, and $0.20 for the requests.
TEST(billing, provisioned_instances_are_paid_for_reserved_and_serving) {
  const auto book = books::aws_lambda_x86();
  auto month = charge(book, reserved(100, std::chrono::hours(2)));
  for (const auto start :
       {start_kind::provisioned, start_kind::provisioned_warm}) {
    const auto one = charge(book, on(start, used(1024, milliseconds(100))));
    month += times(500'000, one);
    EXPECT_EQ(one.mib_ms, 0U);
  }

  const auto bill = make_bill(book, month);

  ASSERT_EQ(bill.lines.size(), 4U);
  EXPECT_EQ(bill.lines[2].quantity, 720'000);
  EXPECT_NEAR(bill.lines[2].cost, 3.000024, 1e-9);
  EXPECT_EQ(bill.lines[3].quantity, 100'000);
  EXPECT_NEAR(bill.lines[3].cost, 0.97222, 1e-9);
  EXPECT_NEAR(bill.total, 3.000024 + 0.97222, 1e-9) << "a million is free";
  EXPECT_NEAR(make_bill(book, month, false).total, 3.000024 + 0.97222 + 0.2,
              1e-9);
}

TEST(billing, books_without_provisioned_prices_bill_it_as_any_other) {
  for (const auto& book : {books::aws_lambda_arm(), books::azure_functions()}) {
    const auto one = charge(
        book, on(start_kind::provisioned, used(1024, milliseconds(100))));

    EXPECT_EQ(one.mib_ms, 1024U * 100) << book.name;
    EXPECT_EQ(one.provisioned_mib_ms, 0U) << book.name;
    EXPECT_EQ(charge(book, reserved(1, milliseconds(1))).reserved_mib_ms, 0U);
  }
}

TEST(ledger, adds_what_functions_have_reserved_to_the_bill) {
  hotplate::ledger account({books::aws_lambda_x86()});
  account.on_invocation(
      {"f", "", on(start_kind::provisioned, used(1024, milliseconds(100))),
       nullptr});
  hotplate::function_stats f;
  f.reservations = {reserved(1, std::chrono::minutes(1)),
                    reserved(2, std::chrono::minutes(6))};

  const auto bill = account.bills(false, {f}).front();

  EXPECT_EQ(bill.amount.reserved_mib_ms, 1024U * 1000 * (300 + 2 * 600));
  EXPECT_EQ(bill.amount.provisioned_mib_ms, 1024U * 100);
  EXPECT_EQ(bill.lines.size(), 4U);
}

}  // namespace
