#include "hotplate/payload.hpp"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <vector>

namespace {

using hotplate::payload;
using hotplate::payload_view;

// Copying bytes is said, never done by the way.
static_assert(!std::is_copy_constructible_v<payload>);
static_assert(!std::is_copy_assignable_v<payload>);
static_assert(!std::is_convertible_v<payload_view, payload>);
static_assert(std::is_nothrow_move_constructible_v<payload>);

const std::vector<std::byte> three_bytes{std::byte{1}, std::byte{0},
                                         std::byte{255}};

TEST(payload_view_test, a_default_one_is_empty) {
  const payload_view nothing;

  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing.text(), "");
  EXPECT_TRUE(nothing.bytes().empty());
}

TEST(payload_view_test, views_every_kind_of_text) {
  const std::string text("hello");

  EXPECT_EQ(payload_view("hello").text(), text);
  EXPECT_EQ(payload_view(text).text(), text);
  EXPECT_EQ(payload_view(std::string_view(text)).text(), text);
  EXPECT_EQ(payload_view(text.data(), 4).text(), "hell");
}

TEST(payload_view_test, points_to_the_text_itself) {
  const std::string text("hello");

  const payload_view view(text);

  EXPECT_EQ(view.text().data(), text.data());
}

TEST(payload_view_test, views_bytes_with_zeros) {
  const payload_view view(three_bytes);

  ASSERT_EQ(view.size(), 3U);
  EXPECT_EQ(view.data(), three_bytes.data());
  EXPECT_EQ(view.bytes()[2], std::byte{255});
  EXPECT_EQ(payload_view(std::span(three_bytes)).size(), 3U);
}

TEST(payload_view_test, views_a_payload) {
  const payload whole(std::string("hello"));

  const payload_view view(whole);

  EXPECT_EQ(view.data(), whole.data());
  EXPECT_EQ(view.size(), 5U);
}

TEST(payload_test, a_default_one_is_empty) {
  const payload nothing;

  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing.size(), 0U);
}

TEST(payload_test, adopts_the_buffer_of_a_string) {
  std::string text(100, 'x');
  const char* const buffer = text.data();

  const payload whole(std::move(text));

  EXPECT_EQ(whole.text().data(), buffer);
  EXPECT_EQ(whole.size(), 100U);
}

TEST(payload_test, adopts_the_buffer_of_a_vector) {
  std::vector<std::byte> bytes(100);
  const std::byte* const buffer = bytes.data();

  const payload whole(std::move(bytes));

  EXPECT_EQ(whole.data(), buffer);
  EXPECT_EQ(whole.bytes().size(), 100U);
}

TEST(payload_test, copies_a_view_into_a_buffer_of_its_own) {
  std::string text("hello");

  const payload copy{payload_view(text)};
  text = "other";

  EXPECT_EQ(copy.text(), "hello");
}

TEST(payload_test, keeps_its_buffer_when_moved) {
  payload first(std::string(100, 'x'));
  const std::byte* const buffer = first.data();

  payload second(std::move(first));
  payload third;
  third = std::move(second);

  EXPECT_EQ(third.data(), buffer);
}

TEST(payload_test, a_short_one_stays_whole_when_moved) {
  payload first(std::string("hi"));

  const payload second(std::move(first));

  EXPECT_EQ(second.text(), "hi") << "its bytes lay inside the object";
}

TEST(payload_test, what_was_moved_from_is_empty) {
  payload text(std::string("hi"));
  payload bytes(three_bytes);

  const payload first(std::move(text));
  const payload second(std::move(bytes));

  EXPECT_TRUE(text.empty());   // NOLINT(bugprone-use-after-move)
  EXPECT_TRUE(bytes.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(payload_test, assigned_to_itself_it_stays) {
  payload whole(std::string(100, 'x'));
  payload& same = whole;

  whole = std::move(same);

  EXPECT_EQ(whole.text(), std::string(100, 'x'));
}

TEST(payload_test, its_bytes_can_be_written_whatever_they_came_from) {
  payload text(std::string("hello"));
  payload bytes(three_bytes);

  text.writable()[0] = std::byte{'j'};
  bytes.writable()[1] = std::byte{7};

  EXPECT_EQ(text.text(), "jello");
  EXPECT_EQ(bytes.bytes()[1], std::byte{7});
  EXPECT_TRUE(payload().writable().empty());
}

TEST(payload_test, truncating_keeps_the_first_bytes) {
  payload text(std::string("hello"));
  payload bytes(three_bytes);
  payload nothing;

  text.truncate(4);
  text.truncate(9);
  bytes.truncate(1);
  nothing.truncate(0);

  EXPECT_EQ(text.text(), "hell");
  EXPECT_EQ(bytes.size(), 1U);
  EXPECT_TRUE(nothing.empty());
}

}  // namespace
