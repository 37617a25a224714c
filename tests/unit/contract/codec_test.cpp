#include "hotplate/codec.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace {

using hotplate::codec;
using hotplate::decodable;
using hotplate::decode_error;
using hotplate::encodable;
using hotplate::payload;
using hotplate::payload_view;

struct own_type {
  int value;
};
struct without_codec {};

}  // namespace

template <>
struct hotplate::codec<own_type> {
  static payload encode(own_type value) {
    return codec<int>::encode(value.value);
  }
  static own_type decode(payload_view bytes) {
    return {codec<int>::decode(bytes)};
  }
};

namespace {

static_assert(encodable<int> && decodable<int>);
static_assert(encodable<own_type> && decodable<own_type>);
static_assert(!encodable<without_codec> && !decodable<without_codec>);
// A result that is a view would point into the ended invocation.
static_assert(decodable<std::string_view> && !encodable<std::string_view>);
static_assert(decodable<payload_view> && !encodable<payload_view>);

template <typename T>
std::string text_of(T value) {
  return std::string(codec<T>::encode(std::move(value)).text());
}

// What decoding says is wrong; empty if nothing.
template <typename T>
std::string complaint_about(payload_view bytes) {
  try {
    codec<T>::decode(bytes);
    return {};
  } catch (const decode_error& why) {
    return why.what();
  }
}

template <typename T>
void expect_back(T value) {
  EXPECT_EQ(codec<T>::decode(codec<T>::encode(value)), value);
}

TEST(codec_test, numbers_are_decimal_text) {
  EXPECT_EQ(text_of(42), "42");
  EXPECT_EQ(text_of(-7L), "-7");
  EXPECT_EQ(text_of(0.5), "0.5");
  EXPECT_EQ(codec<int>::decode("-42"), -42);
  EXPECT_EQ(codec<double>::decode("2.5e3"), 2500);
}

TEST(codec_test, the_extremes_of_integers_come_back) {
  expect_back(std::numeric_limits<std::int64_t>::min());
  expect_back(std::numeric_limits<std::int64_t>::max());
  expect_back(std::numeric_limits<std::uint64_t>::max());
  expect_back(std::numeric_limits<std::int8_t>::min());
}

TEST(codec_test, floating_point_numbers_come_back_to_the_bit) {
  expect_back(0.1);
  expect_back(1.0F / 3);
  expect_back(std::numeric_limits<double>::denorm_min());
  expect_back(std::numeric_limits<double>::lowest());
  expect_back(std::numeric_limits<long double>::max());
}

TEST(codec_test, what_is_no_number_is_refused) {
  for (const char* const text : {"", " 1", "1 ", "one", "1x", "+1", "0x10"}) {
    EXPECT_EQ(complaint_about<int>(text), "expected a number") << text;
  }
  EXPECT_EQ(complaint_about<int>("1.5"), "expected a number");
  EXPECT_EQ(complaint_about<int>(payload_view()), "expected a number");
}

TEST(codec_test, a_number_that_does_not_fit_is_refused) {
  EXPECT_EQ(complaint_about<std::int8_t>("128"), "the number is out of range");
  EXPECT_EQ(complaint_about<int>("99999999999"), "the number is out of range");
  EXPECT_EQ(complaint_about<double>("1e999"), "the number is out of range");
}

TEST(codec_test, a_negative_number_is_not_taken_for_an_unsigned_one) {
  EXPECT_EQ(complaint_about<unsigned>("-1"), "expected a number");
}

TEST(codec_test, truth_is_a_word) {
  EXPECT_EQ(text_of(true), "true");
  EXPECT_EQ(text_of(false), "false");
  EXPECT_TRUE(codec<bool>::decode("true"));
  EXPECT_FALSE(codec<bool>::decode("false"));
}

TEST(codec_test, other_words_and_numbers_are_not_true) {
  for (const char* const text : {"", "1", "0", "True", "true "}) {
    EXPECT_EQ(complaint_about<bool>(text), "expected true or false") << text;
  }
}

TEST(codec_test, text_is_itself_with_its_zeros) {
  const std::string text("a\0b", 3);

  EXPECT_EQ(text_of(text), text);
  EXPECT_EQ(codec<std::string>::decode(text), text);
}

TEST(codec_test, bytes_are_themselves) {
  const std::vector<std::byte> bytes{std::byte{0}, std::byte{200}};

  EXPECT_EQ(codec<std::vector<std::byte>>::decode(bytes), bytes);
  EXPECT_EQ(codec<std::vector<std::byte>>::encode(bytes).bytes()[1], bytes[1]);
}

TEST(codec_test, encoding_does_not_copy_a_buffer) {
  std::string text(100, 'x');
  const char* const buffer = text.data();

  const payload encoded = codec<std::string>::encode(std::move(text));

  EXPECT_EQ(encoded.text().data(), buffer);
}

TEST(codec_test, views_point_into_the_event) {
  const std::string event("hello");

  EXPECT_EQ(codec<std::string_view>::decode(event).data(), event.data());
  EXPECT_EQ(codec<payload_view>::decode(event).text().data(), event.data());
}

TEST(codec_test, a_payload_decodes_to_bytes_of_its_own) {
  std::string event("hello");

  const payload decoded = codec<payload>::decode(event);
  event = "other";

  EXPECT_EQ(decoded.text(), "hello");
}

TEST(codec_test, an_empty_event_is_an_empty_text) {
  EXPECT_EQ(codec<std::string>::decode(payload_view()), "");
  EXPECT_EQ(codec<std::string_view>::decode(payload_view()), "");
  EXPECT_TRUE(codec<std::vector<std::byte>>::decode(payload_view()).empty());
}

TEST(codec_test, a_type_of_ones_own_travels_by_its_codec) {
  EXPECT_EQ(text_of(own_type{7}), "7");
  EXPECT_EQ(codec<own_type>::decode("8").value, 8);
}

}  // namespace
