#include "hotplate/json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>

namespace {

using hotplate::codec;
using hotplate::decode_error;
using hotplate::payload_view;
using nlohmann::json;
using pair = std::tuple<int, std::string>;

static_assert(hotplate::encodable<json> && hotplate::decodable<json>);
static_assert(hotplate::decodable<pair>);

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

TEST(json_test, a_document_travels_as_its_text) {
  const json document = {{"name", "hotplate"}, {"sizes", {1, 2, 3}}};

  const auto encoded = codec<json>::encode(document);

  EXPECT_EQ(encoded.text(), R"({"name":"hotplate","sizes":[1,2,3]})");
  EXPECT_EQ(codec<json>::decode(encoded), document);
}

TEST(json_test, what_does_not_parse_is_refused_with_its_position) {
  const std::string why = complaint_about<json>(R"({"a":})");

  EXPECT_NE(why.find("column 6"), std::string::npos) << why;
}

TEST(json_test, an_empty_event_is_refused) {
  EXPECT_NE(complaint_about<json>(payload_view()), "");
  EXPECT_NE(complaint_about<json>(""), "");
}

TEST(json_test, text_after_the_document_is_refused) {
  EXPECT_NE(complaint_about<json>("{} x"), "");
}

TEST(json_test, several_parameters_are_an_array) {
  const auto [number, text] = codec<pair>::decode(R"([7, "seven"])");

  EXPECT_EQ(number, 7);
  EXPECT_EQ(text, "seven");
}

TEST(json_test, an_array_of_another_length_is_refused) {
  for (const char* const text : {"[]", "[1]", R"([1,"a",2])"}) {
    EXPECT_EQ(complaint_about<pair>(text),
              "expected a JSON array of 2 elements")
        << text;
  }
}

TEST(json_test, parameters_that_are_no_array_are_refused) {
  for (const char* const text : {"{}", "1", "null", R"({"a":1,"b":2})"}) {
    EXPECT_EQ(complaint_about<pair>(text),
              "expected a JSON array of 2 elements")
        << text;
  }
}

TEST(json_test, a_parameter_of_another_type_is_refused) {
  const std::string why = complaint_about<pair>(R"(["seven", 7])");

  EXPECT_NE(why.find("type must be"), std::string::npos) << why;
}

TEST(json_test, a_document_may_be_one_of_several_parameters) {
  const auto [number, document] =
      codec<std::tuple<int, json>>::decode(R"([1, {"a": [2]}])");

  EXPECT_EQ(number, 1);
  EXPECT_EQ(document.at("a").at(0), 2);
}

}  // namespace
