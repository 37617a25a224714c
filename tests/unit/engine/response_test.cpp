#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"

// Responses that handlers make in their arena, and whose they are then.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::payload;
using testing::HasSubstr;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

payload filled(context& ctx, std::size_t size, char with = 'x') {
  payload made(ctx.arena(), size);
  std::memset(made.writable().data(), with, size);
  return made;
}

std::size_t held(const hotplate::engine& engine) {
  return engine.stats().held_response_bytes;
}

// Host-pumped, and with two workers.
class response_test : public testing::TestWithParam<int> {
 protected:
  response_test() { make_engine({.workers = GetParam()}); }
  void make_engine(hotplate::engine_config config) {
    engine_.emplace(std::move(config));
    make_.emplace(engine_->deploy("make", [this](context& ctx, int size) {
      payload made = filled(ctx, static_cast<std::size_t>(size));
      made_at_ = made.data();
      return made;
    }));
  }

  std::optional<hotplate::engine> engine_;
  std::optional<hotplate::function<payload(int)>> make_;
  const std::byte* made_at_ = nullptr;
};

TEST_P(response_test, stays_where_the_handler_wrote_it) {
  const auto typed = (*make_)(100'000);
  EXPECT_EQ(typed.value().data(), made_at_);
  EXPECT_EQ(typed.value().text(), std::string(100'000, 'x'));

  const auto named = engine_->invoke("make", "200000");
  EXPECT_EQ(named.value().data(), made_at_);
  EXPECT_EQ(named.value().size(), 200'000U);
  EXPECT_EQ(named.usage().response_bytes, 200'000U);
}

TEST_P(response_test, is_held_from_4_kib_on_until_it_is_destroyed) {
  const auto small = (*make_)(4096);
  EXPECT_EQ(held(*engine_), 0U);

  {
    const auto large = (*make_)(4097);
    EXPECT_EQ(held(*engine_), 8192U) << "its chunk";
  }
  EXPECT_EQ(held(*engine_), 0U);
}

TEST_P(response_test, outlives_arena_and_engine_on_any_thread) {
  auto kept = (*make_)(100'000);
  auto largest = engine_->invoke("make", "5000000");
  for (int i = 0; i < 100; ++i) (*make_)(50'000).value();
  engine_.reset();

  std::thread([kept = std::move(kept), largest = std::move(largest)] {
    EXPECT_EQ(kept.value().text(), std::string(100'000, 'x'));
    EXPECT_EQ(largest.value().text(), std::string(5'000'000, 'x'));
  }).join();
}

TEST_P(response_test, counts_as_used_by_the_arena_to_the_byte) {
  const auto whole = engine_->deploy("whole", [](context& ctx, int more) {
    static_cast<void>(ctx.arena().allocate(28 * mebibyte, 1));
    payload made(ctx.arena(), 100 * mebibyte + static_cast<std::size_t>(more));
    made.truncate(1);
    return made;
  });

  const auto fits = whole(0);
  EXPECT_EQ(fits.value().size(), 1U);
  EXPECT_EQ(fits.usage().arena_peak_bytes, 128 * mebibyte);

  const auto beyond = whole(1);
  EXPECT_EQ(beyond.code(), errc::out_of_memory);
  EXPECT_EQ(beyond.usage().arena_peak_bytes, 28 * mebibyte);
}

TEST_P(response_test, at_the_engines_limit_it_is_refused_with_both_figures) {
  make_engine({.workers = GetParam(), .max_held_response_bytes = 3 * 16'384});
  std::vector<hotplate::outcome<payload>> all;
  for (int i = 0; i < 3; ++i) all.push_back((*make_)(16'384));

  const auto refused = (*make_)(5000);

  EXPECT_EQ(refused.code(), errc::resource_exhausted);
  EXPECT_EQ(refused.error().limit, 3 * 16'384);
  EXPECT_EQ(refused.error().value, 3 * 16'384 + 8192);
  EXPECT_EQ(refused.error().function, "make");
  EXPECT_THAT(refused.error().message, HasSubstr("max_held_response_bytes"));
  EXPECT_THAT(refused.error().message, HasSubstr("49152"));
  EXPECT_THAT(refused.error().message, HasSubstr("57344"));
  EXPECT_EQ(held(*engine_), 3U * 16'384);
  all.pop_back();
  const auto next = (*make_)(5000);
  EXPECT_TRUE(next) << "as soon as there is room again";
  EXPECT_EQ(next.usage().start, hotplate::start_kind::cold)
      << "an instance that was short of memory is not used again";
}

TEST_P(response_test, a_limit_of_0_leaves_those_on_the_heap) {
  make_engine({.workers = GetParam(), .max_held_response_bytes = 0});

  EXPECT_TRUE((*make_)(4096));
  EXPECT_EQ((*make_)(4097).error().value, 8192);
}

TEST_P(response_test, a_refusal_ends_the_invocation_even_if_swallowed) {
  make_engine({.workers = GetParam(), .max_held_response_bytes = 8192});
  engine_->deploy("stubborn", [](context& ctx) {
    try {
      return payload(ctx.arena(), 8193);
    } catch (const std::bad_alloc&) {
      return payload(ctx.arena(), 8192);
    }
  });

  EXPECT_EQ(engine_->invoke("stubborn").code(), errc::resource_exhausted);
  EXPECT_EQ(held(*engine_), 0U) << "the response is dropped";
}

TEST_P(response_test, is_free_again_when_the_handler_drops_it) {
  const auto drop = engine_->deploy("drop", [this](context& ctx) {
    { const payload first = filled(ctx, 10'000); }
    const std::size_t then = held(*engine_);
    const payload second = filled(ctx, 10'000);
    return then;
  });

  const auto outcome = drop();

  EXPECT_EQ(outcome.value(), 0U);
  EXPECT_EQ(outcome.usage().arena_peak_bytes, 20'000U)
      << "but counts until the arena is rewound";
  EXPECT_EQ(held(*engine_), 0U);
}

TEST_P(response_test, is_free_again_when_the_handler_throws) {
  const auto fail = engine_->deploy("fail", [](context& ctx) -> payload {
    const payload lost = filled(ctx, 10'000);
    throw std::runtime_error("after all");
  });

  EXPECT_EQ(fail().code(), errc::function_threw);
  EXPECT_EQ(held(*engine_), 0U);
}

TEST_P(response_test, above_the_engines_largest_it_is_refused_as_any_other) {
  make_engine({.workers = GetParam(), .max_response_bytes = 10'000});

  EXPECT_TRUE(engine_->invoke("make", "10000"));
  const auto refused = engine_->invoke("make", "10001");

  EXPECT_EQ(refused.code(), errc::response_too_large);
  EXPECT_EQ(refused.error().value, 10'001);
  EXPECT_EQ(held(*engine_), 0U);
}

TEST_P(response_test, may_be_kept_by_the_host_beyond_the_engine) {
  payload global;
  const auto keep = engine_->deploy(
      "keep", [&](context& ctx) { global = filled(ctx, 10'000); });
  keep().value();
  EXPECT_EQ(held(*engine_), 16'384U);
  engine_.reset();

  EXPECT_EQ(global.text(), std::string(10'000, 'x'));
}

struct collector {
  char operator()(context& ctx) {
    const char last = before.empty() ? '-' : before.text().back();
    before = filled(ctx, 10'000);
    return last;
  }
  payload before;
};

TEST_P(response_test, may_be_kept_by_an_instance_until_it_ends) {
  const auto collect = engine_->deploy<collector>("collect");
  collect().value();

  EXPECT_EQ(collect().value(), 'x') << "of the invocation before";
  EXPECT_EQ(held(*engine_), 16'384U);
  EXPECT_TRUE(engine_->remove("collect"));
  EXPECT_TRUE(becomes_true([&] {
    engine_->poll();
    return held(*engine_) == 0;
  }));
}

TEST_P(response_test, moves_into_another_invocation_as_its_event) {
  engine_->deploy("where", [this](context&, hotplate::payload_view event) {
    return event.data() == made_at_ && event.size() == 100'000;
  });
  const auto outer = engine_->deploy("outer", [this](context& ctx) {
    payload event = filled(ctx, 100'000);
    made_at_ = event.data();
    return std::string(
        engine_->invoke("where", std::move(event)).value().text());
  });

  EXPECT_EQ(outer().value(), "true");
  EXPECT_EQ(held(*engine_), 0U);
}

TEST_P(response_test, moves_to_another_engine_and_outlives_its_own) {
  hotplate::engine other({.workers = GetParam()});
  const auto pass =
      other.deploy("pass", [](context&, payload event) { return event; });

  auto outcome = pass((*make_)(100'000).value());
  EXPECT_EQ(held(*engine_), 131'072U);
  EXPECT_EQ(held(other), 0U) << "who made it holds it";
  engine_.reset();

  EXPECT_EQ(outcome.value().text(), std::string(100'000, 'x'));
}

TEST_P(response_test, goes_through_invoke_here_and_continuations) {
  const auto here = engine_->invoke_here(*make_, 50'000);
  EXPECT_EQ(here.value().data(), made_at_);

  auto next = make_->async(60'000).then(
      [](hotplate::outcome<payload> of) { return std::move(of).value(); });
  EXPECT_EQ(next.get().value().size(), 60'000U);
}

INSTANTIATE_TEST_SUITE_P(workers, response_test, testing::Values(0, 2));

TEST(response_config_test, the_limit_is_checked_by_the_constructor) {
  try {
    const hotplate::engine engine(
        {.workers = 0, .max_held_response_bytes = (std::size_t{1} << 50) + 1});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.what(), HasSubstr("max_held_response_bytes"));
  }
}

// Its result comes back although nobody takes it.
TEST(late_response_test, is_freed_when_its_handler_ends_after_its_caller) {
  std::atomic<bool> made = false;
  std::atomic<bool> go_on = false;
  hotplate::engine engine({.workers = 1});
  const auto slow = engine.deploy("slow", [&](context& ctx) {
    payload response = filled(ctx, 10'000);
    made = true;
    while (!go_on) std::this_thread::yield();
    return response;
  });

  auto pending = slow.async();
  while (!made) std::this_thread::yield();
  pending.cancel();
  EXPECT_EQ(pending.get().code(), errc::cancelled);
  EXPECT_EQ(held(engine), 16'384U);

  go_on = true;
  EXPECT_TRUE(becomes_true([&] { return held(engine) == 0; }));
}

}  // namespace
