#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>

#include "hotplate/engine.hpp"

// What one invocation kept secret, another must not find in its own memory,
// which it is given as it is.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::payload;

constexpr std::uint64_t secret = 0x5ec2e75ec2e75ec2;
using secrets = std::array<std::uint64_t, 8>;

void fill(void* start, std::size_t bytes) {
  auto* const words = static_cast<std::uint64_t*>(start);
  std::fill_n(words, bytes / sizeof secret, secret);
}
secrets all_secret() {
  secrets made;
  made.fill(secret);
  return made;
}

/// So many bytes of arena, in pieces that fit the record, or end several chunks
/// in between, or need a large one.
void take(context& ctx, std::size_t bytes, auto&& use) {
  const std::size_t piece = bytes < 4'096     ? 64
                            : bytes < 100'000 ? 1'000
                                              : bytes;
  for (std::size_t taken = 0; taken < bytes; taken += piece) {
    use(ctx.arena().allocate(piece, 8), piece);
  }
}

constexpr std::size_t sizes[] = {64, 1024, 5'000, 30'000, 300'000, 9'000'000};

class scrub_test : public testing::TestWithParam<int> {
 protected:
  // Keeps its secret in so many bytes of arena.
  auto deploy_keep(bool scrub) {
    return engine_.deploy(
        "keep",
        [this](context& ctx, std::size_t bytes) {
          take(ctx, bytes, [](void* at, std::size_t size) { fill(at, size); });
          has_written_ = true;
          if (throws_) throw std::runtime_error("with its secret");
          while (waits_) std::this_thread::yield();
        },
        {.scrub = scrub});
  }

  // Another function, which does not scrub: how often it finds the secret.
  std::size_t found(std::size_t bytes) { return look_(bytes).value(); }

  static std::size_t look(context& ctx, std::size_t bytes) {
    std::size_t count = 0;
    take(ctx, bytes, [&](const void* at, std::size_t size) {
      const auto* const words = static_cast<const std::uint64_t*>(at);
      count += static_cast<std::size_t>(
          std::count(words, words + size / sizeof secret, secret));
    });
    return count;
  }

  std::atomic<bool> waits_ = false;
  std::atomic<bool> has_written_ = false;
  bool throws_ = false;
  hotplate::engine engine_{{.workers = GetParam()}};
  const hotplate::function<std::size_t(std::size_t)> look_ =
      engine_.deploy("look", &look);
};

// Else the other tests would find nothing anyway.
TEST_P(scrub_test, without_it_the_next_invocation_can_read_everything) {
  const auto keep = deploy_keep(false);

  for (const std::size_t bytes : sizes) {
    EXPECT_TRUE(keep(bytes));
    EXPECT_GT(found(bytes), 0U) << bytes;
  }
}

TEST_P(scrub_test, with_it_nothing_is_left_of_any_chunk) {
  const auto keep = deploy_keep(true);

  for (const std::size_t bytes : sizes) {
    EXPECT_TRUE(keep(bytes));
    EXPECT_EQ(found(bytes), 0U) << bytes;
  }
}

TEST_P(scrub_test, the_figures_stay_what_they_were) {
  const auto keep = deploy_keep(true);

  for (const std::size_t bytes : sizes) {
    EXPECT_GE(keep(bytes).usage().arena_peak_bytes, bytes);
  }
}

TEST_P(scrub_test, nothing_is_left_by_a_handler_that_throws) {
  const auto keep = deploy_keep(true);
  throws_ = true;

  for (const std::size_t bytes : sizes) {
    EXPECT_EQ(keep(bytes).code(), errc::function_threw);
    EXPECT_EQ(found(bytes), 0U) << bytes;
  }
}

TEST_P(scrub_test, nothing_is_left_of_arguments_and_result) {
  for (const bool scrub : {false, true}) {
    const auto mirror = engine_.deploy(
        "mirror", [](secrets given) { return given; }, {.scrub = scrub});
    EXPECT_TRUE(mirror(all_secret()));

    EXPECT_EQ(found(64) == 0, scrub);
  }
}

TEST_P(scrub_test, nothing_is_left_of_arguments_too_large_for_the_record) {
  using many = std::array<secrets, 100>;
  auto large = std::make_unique<many>();
  large->fill(all_secret());
  for (const bool scrub : {false, true}) {
    const auto sum = engine_.deploy(
        "sum", [](const many& all) { return all[0][0]; }, {.scrub = scrub});
    EXPECT_TRUE(sum(*large));

    EXPECT_EQ(found(5'000) == 0, scrub);
  }
}

TEST_P(scrub_test, nothing_is_left_of_an_event) {
  std::string event(6'400, '\0');
  fill(event.data(), event.size());
  for (const bool scrub : {false, true}) {
    engine_.deploy("read",
                   [](hotplate::payload_view bytes) { return bytes.size(); },
                   {.scrub = scrub});
    EXPECT_TRUE(engine_.invoke("read", event));

    EXPECT_EQ(found(5'000) == 0, scrub);
  }
}

TEST_P(scrub_test, nothing_is_left_by_an_invocation_that_never_started) {
  for (const bool scrub : {false, true}) {
    const auto refused =
        engine_.deploy("refused", [](const secrets&) {},
                       {.scrub = scrub, .reserved_concurrency = 0});
    EXPECT_EQ(refused(all_secret()).code(), errc::throttled);

    EXPECT_EQ(found(64) == 0, scrub);
  }
}

TEST_P(scrub_test, a_response_is_overwritten_when_it_is_freed) {
  for (const bool scrub : {false, true}) {
    const auto make = engine_.deploy("make",
                                     [](context& ctx, std::size_t bytes) {
                                       payload made(ctx.arena(), bytes);
                                       fill(made.writable().data(), bytes);
                                       made.truncate(1);
                                       return made;
                                     },
                                     {.scrub = scrub});
    // Beyond what a worker keeps at hand: it would take its own first.
    for (const std::size_t bytes : {100'000U, 300'000U, 9'000'000U}) {
      EXPECT_TRUE(make(bytes));
      EXPECT_EQ(found(bytes) == 0, scrub) << bytes;
    }
  }
}

TEST_P(scrub_test, so_is_an_event_that_another_function_made) {
  const auto make = engine_.deploy("make", [](context& ctx) {
    payload made(ctx.arena(), 300'000);
    fill(made.writable().data(), 300'000);
    return made;
  });
  for (const bool scrub : {false, true}) {
    const auto drop = engine_.deploy("drop", [](payload) {}, {.scrub = scrub});
    EXPECT_TRUE(drop(make().value()));
    EXPECT_EQ(found(300'000) == 0, scrub);
    EXPECT_TRUE(engine_.invoke("drop", make().value()));
    EXPECT_EQ(found(300'000) == 0, scrub);
    EXPECT_TRUE(engine_.invoke_here(drop, make().value()));
    EXPECT_EQ(found(300'000) == 0, scrub);
  }
}

INSTANTIATE_TEST_SUITE_P(workers, scrub_test, testing::Values(0, 1));

// The record is recycled by the handler's side here, long after its caller has
// left: the next handler that calls on that worker gets it.
class late_scrub_test : public scrub_test {
 protected:
  // How often its secret is found, in all.
  std::size_t left_by_overruns(bool scrub) {
    const auto ask = engine_.deploy(
        "ask", [this](std::size_t bytes) { return look_(bytes).value(); });
    const auto keep = deploy_keep(scrub);
    std::size_t all = 0;
    for (const std::size_t bytes : sizes) {
      has_written_ = false;
      waits_ = true;
      auto pending = keep.async(bytes);
      while (!has_written_) std::this_thread::yield();
      pending.cancel();
      EXPECT_EQ(pending.get().code(), errc::cancelled);
      waits_ = false;
      while (engine_.stats().in_flight > 0) std::this_thread::yield();
      const std::size_t found = ask(bytes).value();
      // Without scrubbing, its record may be in use elsewhere by now.
      EXPECT_TRUE(found == 0 || !scrub) << bytes;
      all += found;
    }
    return all;
  }
};

TEST_P(late_scrub_test, an_overrun_leaves_nothing) {
  EXPECT_EQ(left_by_overruns(true), 0U);
}

TEST_P(late_scrub_test, it_would_without) {
  EXPECT_GT(left_by_overruns(false), 0U);
}

INSTANTIATE_TEST_SUITE_P(workers, late_scrub_test, testing::Values(1));

// Whatever is told of its end is told it before.
struct tenants_told final : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation& of) noexcept override {
    all += of.tenant;
    all += ' ';
  }
  std::string all;
};

TEST(scrub_order_test, meters_read_the_tenant_before_it_is_overwritten) {
  tenants_told told;
  hotplate::engine engine({.workers = 0, .meters = {&told}});
  using full = std::array<char, 250>;
  for (const bool scrub : {false, true}) {
    const auto small = engine.deploy("small", [](int) {}, {.scrub = scrub});
    const auto large =
        engine.deploy("large", [](const full&) {}, {.scrub = scrub});
    EXPECT_TRUE(small.with({.tenant = "blue"})(1));
    EXPECT_TRUE(large.with({.tenant = "a-rather-long-green-one"})(full{}));
  }

  EXPECT_EQ(told.all,
            "blue a-rather-long-green-one blue a-rather-long-green-one ");
}

}  // namespace
