#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "hotplate/engine.hpp"

// What is rewound is nobody's: AddressSanitizer reports who still touches it.

namespace {

using hotplate::context;
using hotplate::payload;
using hotplate::literals::operator""_MiB;

class rewind_test : public testing::Test {
 protected:
  static constexpr const char* report = "use-after-poison";

  // In the record, in chunks of a region, in one mapped by itself.
  static constexpr std::size_t sizes[] = {50, 3'000, 100'000, 9'000'000};

  hotplate::engine engine_{{.workers = 0}};
  const hotplate::function<char*(std::size_t)> leak_ =
      engine_.deploy("leak", [](context& ctx, std::size_t bytes) {
        return static_cast<char*>(ctx.arena().allocate(bytes, 1));
      });
};

TEST_F(rewind_test, a_block_of_a_gibibyte_is_refused_one_of_the_cap_is_not) {
  const auto take =
      engine_.deploy("take",
                     [](context& ctx, std::size_t bytes) {
                       return ctx.arena().allocate(bytes, 1) != nullptr;
                     },
                     {.memory = 128_MiB});

  EXPECT_TRUE(take(std::size_t{1} << 20));
  const auto whole = take(std::size_t{128} << 20);
  EXPECT_EQ(whole.usage().arena_peak_bytes, std::size_t{128} << 20);
  const auto beyond = take((std::size_t{128} << 20) + 1);
  EXPECT_EQ(beyond.code(), hotplate::errc::out_of_memory);
  EXPECT_EQ(beyond.usage().arena_peak_bytes, 0U);
  EXPECT_EQ(take(std::size_t{1} << 30).code(), hotplate::errc::out_of_memory);
}

TEST_F(rewind_test, the_peak_is_what_was_used_padding_included) {
  const auto use = engine_.deploy("use", [](context& ctx) {
    static_cast<void>(ctx.arena().allocate(1, 1));
    static_cast<void>(ctx.arena().allocate(64, 64));
    for (int i = 0; i < 100; ++i) static_cast<void>(ctx.arena().allocate(1000));
    return ctx.arena().used();
  });

  const auto outcome = use();

  EXPECT_GE(outcome.value(), 65U + 100'000);
  EXPECT_EQ(outcome.usage().arena_peak_bytes, outcome.value());
  const auto all = engine_.functions();
  for (const auto& each : all) {
    if (each.name == "use") {
      EXPECT_NEAR(static_cast<double>(each.arena_peak.quantile(1)),
                  static_cast<double>(outcome.value()), 0.032 * 101'000);
    }
  }
}

#if defined(HOTPLATE_ASAN)

using rewind_death_test = rewind_test;

TEST_F(rewind_death_test, reading_after_the_invocation_is_reported) {
  for (const std::size_t bytes : sizes) {
    EXPECT_DEATH(
        {
          const char* const left = leak_(bytes).value();
          std::fputc(left[bytes / 2], stderr);
        },
        report)
        << bytes;
  }
}

TEST_F(rewind_death_test, so_is_writing) {
  for (const std::size_t bytes : sizes) {
    EXPECT_DEATH(leak_(bytes).value()[bytes - 1] = 1, report) << bytes;
  }
}

TEST_F(rewind_death_test, reading_beyond_a_block_is_reported) {
  const auto overread = engine_.deploy("overread", [](context& ctx) {
    const char* const block = static_cast<char*>(ctx.arena().allocate(64));
    return block[64];
  });

  EXPECT_DEATH(static_cast<void>(overread()), report);
}

TEST_F(rewind_death_test, reading_a_response_that_was_freed_is_reported) {
  const auto make = engine_.deploy(
      "make", [](context& ctx) { return payload(ctx.arena(), 10'000); });

  EXPECT_DEATH(
      {
        const std::byte* left = nullptr;
        {
          const auto outcome = make();
          left = outcome.value().data();
        }
        std::fputc(static_cast<int>(left[9'000]), stderr);
      },
      report);
}

TEST_F(rewind_death_test, reading_beyond_a_response_is_reported) {
  const auto make = engine_.deploy(
      "make", [](context& ctx) { return payload(ctx.arena(), 10'000); });
  const auto outcome = make();

  EXPECT_DEATH(
      std::fputc(static_cast<int>(outcome.value().data()[10'000]), stderr),
      report);
}

#endif

}  // namespace
