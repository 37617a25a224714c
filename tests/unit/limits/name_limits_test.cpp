#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "hotplate/send.hpp"

// Names, sizes and counts: at, below and above what is allowed.

namespace {

using hotplate::bad_config;
using hotplate::context;
using hotplate::errc;
using testing::HasSubstr;

constexpr std::string_view allowed =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::vector<std::string> names_with_forbidden_bytes() {
  std::vector<std::string> all;
  for (int byte = 0; byte < 256; ++byte) {
    const char each = static_cast<char>(byte);
    if (allowed.find(each) != std::string_view::npos) continue;
    all.push_back(std::string("a") + each);
    all.push_back(each + std::string("a"));
  }
  all.emplace_back(
      "gr\xC3\xB6\xC3\x9F"
      "e");
  all.emplace_back("", 0);
  all.emplace_back(65, 'n');
  return all;
}

class name_limits : public testing::Test {
 protected:
  template <typename Call>
  static std::string refusal_of(const Call& call) {
    try {
      call();
    } catch (const bad_config& why) {
      return why.what();  // Whole, whatever bytes the name had.
    }
    return "not refused";
  }
  void deploy(const std::string& name) {
    engine_.deploy(name, [](context&, hotplate::payload_view) {});
  }

  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0,
                            .max_event_bytes = 8,
                            .max_response_bytes = 8,
                            .max_async_event_bytes = 6,
                            .clock = &clock_}};
};

TEST_F(name_limits, a_function_has_1_to_64_of_the_allowed_characters) {
  for (const char each : allowed) deploy(std::string(1, each));
  deploy(std::string(64, 'n'));
  EXPECT_EQ(engine_.functions().size(), allowed.size() + 1);
  EXPECT_TRUE(engine_.invoke(std::string(64, 'n')));

  for (const std::string& name : names_with_forbidden_bytes()) {
    EXPECT_THAT(refusal_of([&] { deploy(name); }),
                HasSubstr("\": allowed are 1 to 64 of A-Z a-z 0-9 - _"))
        << name;
    EXPECT_EQ(engine_.invoke(name).code(), errc::not_found);
    EXPECT_EQ(engine_.send(name, "").code(), errc::not_found);
  }
  EXPECT_EQ(engine_.functions().size(), allowed.size() + 1);
}

TEST_F(name_limits, an_alias_has_them_and_is_no_number) {
  deploy("f");
  const auto alias = [&](const std::string& name) {
    return refusal_of([&] { engine_.alias("f", name, {{1}}); });
  };
  for (const std::string& name : names_with_forbidden_bytes()) {
    EXPECT_THAT(alias(name), HasSubstr("alias = \"")) << name;
  }
  EXPECT_THAT(alias("42"), HasSubstr("not only digits"));
  EXPECT_EQ(alias(std::string(64, 'a')), "not refused");
  EXPECT_EQ(alias("a"), "not refused");
  EXPECT_EQ(alias("4-2"), "not refused");
  EXPECT_EQ(engine_.describe().functions[0].aliases.size(), 3U);
}

TEST_F(name_limits, an_aliass_weights_add_up_to_one) {
  deploy("f");
  deploy("f");
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [&](const std::vector<hotplate::weighted_version>& at) {
    return refusal_of([&] { engine_.alias("f", "prod", at); });
  };
  EXPECT_EQ(refused({{1, 0}, {2, 1}}), "not refused");
  EXPECT_EQ(refused({{1, 0.25}, {2, 0.75}}), "not refused");

  EXPECT_THAT(refused({}), HasSubstr("versions = 0: allowed are 1 to 2"));
  EXPECT_THAT(refused({{1, 0.5}, {2, 0.25}, {2, 0.25}}),
              HasSubstr("versions = 3: allowed are 1 to 2"));
  EXPECT_THAT(refused({{2, 0.5}, {2, 0.5}}),
              HasSubstr("versions = 2 twice: allowed are two different ones"));
  EXPECT_THAT(refused({{1, -0.1}, {2, 1.1}}), HasSubstr("allowed are 0 to 1"));
  EXPECT_THAT(refused({{1, 0.5}, {2, 0.4}}), HasSubstr("must add up to 1"));
  EXPECT_THAT(refused({{1, not_a_number}}), HasSubstr("allowed are 0 to 1"));
  EXPECT_THAT(refused({{3, 1}}), HasSubstr("3"));
  const auto kept = engine_.describe().functions[0].aliases[0].versions;
  EXPECT_DOUBLE_EQ(kept[1].weight, 0.75) << "what was refused changed nothing";
}

TEST_F(name_limits, a_destination_is_a_name_with_or_without_a_qualifier) {
  const auto refused = [&](std::string name) {
    return refusal_of([&] {
      engine_.deploy("f", [](context&) {}, {.on_failure = std::move(name)});
    });
  };
  for (const auto* const good : {"g", "g:1", "g:prod", "g:$LATEST"}) {
    EXPECT_EQ(refused(good), "not refused");
  }
  EXPECT_EQ(refused(""), "not refused") << "none";
  for (const auto* const bad : {"g:", ":1", "g h", "g:$OLDEST", "g:1:2"}) {
    EXPECT_THAT(refused(bad), HasSubstr("expected the name of a function"));
  }
}

TEST_F(name_limits, a_tenant_has_1_to_64_bytes_and_a_limit) {
  deploy("f");
  const std::string longest(64, 't');
  EXPECT_TRUE(engine_.invoke("f", "", {.tenant = longest}));
  EXPECT_EQ(engine_.invoke("f", "", {.tenant = longest + "t"}).code(),
            errc::bad_event);
  const auto limit = [&](const std::string& name, std::int64_t to) {
    return refusal_of([&] { engine_.limit_tenant(name, to); });
  };
  constexpr std::int64_t most = std::int64_t{1} << 40;
  EXPECT_EQ(limit(longest, most), "not refused");
  EXPECT_EQ(limit("t", 0), "not refused");

  EXPECT_THAT(limit("", 1), HasSubstr("allowed are 1 to 64 bytes"));
  EXPECT_THAT(limit(longest + "t", 1), HasSubstr("allowed are 1 to 64 bytes"));
  EXPECT_THAT(limit("t", most + 1), HasSubstr("limit = 1099511627777"));
  EXPECT_THAT(limit("t", -1), HasSubstr("limit = -1 invocations: allowed"));
  EXPECT_EQ(engine_.tenants().size(), 2U);
}

TEST_F(name_limits, events_and_responses_may_have_their_limit_and_no_more) {
  engine_.deploy("echo", [](context&, std::string_view text) {
    return std::string(text) + std::string(text);
  });
  const auto code = [&](std::size_t bytes) {
    return engine_.invoke("echo", std::string(bytes, 'x')).code();
  };
  const auto sent = [&](std::size_t bytes) {
    return engine_.send("echo", std::string(bytes, 'x')).code();
  };

  EXPECT_EQ(code(0), errc::ok);
  EXPECT_EQ(code(4), errc::ok) << "a response of 8";
  EXPECT_EQ(code(5), errc::response_too_large);
  EXPECT_EQ(code(8), errc::response_too_large);
  EXPECT_EQ(code(9), errc::event_too_large);
  EXPECT_EQ(sent(6), errc::ok);
  EXPECT_EQ(sent(7), errc::event_too_large);
}

TEST_F(name_limits, keys_of_256_bytes_are_taken) {
  deploy("f");
  const std::string longest(256, 'k');

  EXPECT_TRUE(engine_.send("f", "", {.key = longest}));
  EXPECT_EQ(engine_.send("f", "", {.key = longest + "k"}).code(),
            errc::bad_event);
  EXPECT_EQ(engine_.stats().events.sent, 1U);
}

TEST(line_limit, a_logged_line_of_4096_bytes_is_whole_and_a_longer_one_cut) {
  struct sizes final : hotplate::log_sink {
    void on_log(const hotplate::log_line& line) noexcept override {
      seen.push_back(line.text.size());
    }
    std::vector<std::size_t> seen;
  } logs;
  hotplate::engine engine({.workers = 0, .logs = &logs});
  const auto say = engine.deploy("say", [](context& ctx, std::size_t bytes) {
    ctx.log(hotplate::log_level::info, "{}", std::string(bytes, 'x'));
  });

  for (const std::size_t bytes : {0U, 4096U, 4097U}) say(bytes).value();

  EXPECT_THAT(logs.seen, testing::ElementsAre(0U, 4096U, 4096U));
}

}  // namespace
