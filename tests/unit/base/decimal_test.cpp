#include "hotplate/base/decimal.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace {

using hotplate::detail::decimal;
using hotplate::detail::decimal_fault;
using hotplate::detail::read_decimal;

template <typename Number>
class decimal_test : public testing::Test {};
using numbers = testing::Types<std::int8_t, std::uint8_t, short, unsigned, long,
                               unsigned long, long long, std::uint64_t>;
TYPED_TEST_SUITE(decimal_test, numbers);

TYPED_TEST(decimal_test, limits_survive_writing_and_reading) {
  using limits = std::numeric_limits<TypeParam>;
  for (const TypeParam each : {limits::min(), TypeParam{0}, TypeParam{7},
                               TypeParam{10}, limits::max()}) {
    TypeParam read{};

    const decimal written(each);
    const decimal_fault fault = read_decimal(written.text(), read);

    EXPECT_EQ(written.text(), std::to_string(each));
    EXPECT_EQ(fault, decimal_fault::none);
    EXPECT_EQ(read, each);
  }
}

TYPED_TEST(decimal_test, one_beyond_the_limit_is_out_of_range) {
  using limits = std::numeric_limits<TypeParam>;
  std::string above = std::to_string(limits::max());
  ++above.back();  // No such maximum ends in 9.
  TypeParam read{};

  EXPECT_EQ(read_decimal(above, read), decimal_fault::out_of_range);
  EXPECT_EQ(read_decimal(above + "0", read), decimal_fault::out_of_range);
  EXPECT_EQ(read_decimal("99999999999999999999999", read),
            decimal_fault::out_of_range);
}

TYPED_TEST(decimal_test, what_is_no_number_is_none) {
  TypeParam read{};
  for (const char* const each : {"", "-", "+1", " 1", "1 ", "1.0", "--1", "x",
                                 "99999999999999999999x"}) {
    EXPECT_EQ(read_decimal(each, read), decimal_fault::no_number) << each;
  }
}

TEST(decimal_sign_test, only_signed_numbers_have_one) {
  int number = 0;
  unsigned natural = 0;

  EXPECT_EQ(read_decimal("-12", number), decimal_fault::none);
  EXPECT_EQ(number, -12);
  EXPECT_EQ(read_decimal("-12", natural), decimal_fault::no_number);
}

}  // namespace
