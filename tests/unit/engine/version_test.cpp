#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <thread>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::start_kind;
using std::chrono::seconds;
using testing::HasSubstr;

class version_test : public testing::TestWithParam<int> {
 protected:
  hotplate::function<int()> deploy_answer(int answer) {
    return engine_.deploy("f", [answer](context&) { return answer; });
  }

  std::uint64_t live_instances() { return engine_.functions()[0].instances; }

  std::atomic<int> alive_ = 0;  // Outlives the engine, and so its handlers.
  hotplate::engine engine_{{.workers = GetParam()}};
};

/// What one thread saw of a function that answers its version's number.
struct observed {
  std::atomic<std::uint32_t> calls = 0;
  std::uint64_t failed = 0;
  std::uint64_t misrouted = 0;
  std::uint32_t last = 0;

  void see(const hotplate::outcome<std::uint32_t>& outcome) {
    ++calls;
    const std::uint32_t version = outcome.usage().version;
    if (!outcome) {
      ++failed;
    } else if (outcome.value() != version || version < last) {
      ++misrouted;
    }
    last = version;
  }
};

TEST_P(version_test, a_thousand_redeploys_disturb_nobody) {
  constexpr std::uint32_t redeploys = 1'000;
  const auto deploy = [&](std::uint32_t number) {
    // Not shared: each instance is a copy, made and destroyed with its version.
    return engine_.deploy("f", [number, calls = 0](context&) mutable {
      ++calls;
      return number;
    });
  };
  const auto f = deploy(1);
  std::atomic<bool> stop = false;
  std::array<observed, 2> seen;
  std::array<std::thread, 2> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    threads[i] = std::thread([&, i] {
      while (!stop) seen[i].see(f());
    });
  }

  for (std::uint32_t i = 2; i <= redeploys; ++i) {
    deploy(i);
    // Never far ahead of those who invoke.
    while (std::min(seen[0].calls.load(), seen[1].calls.load()) < i) {
      std::this_thread::yield();
    }
  }
  stop = true;
  for (std::thread& each : threads) each.join();

  for (const observed& each : seen) {
    EXPECT_EQ(each.failed, 0U);
    EXPECT_EQ(each.misrouted, 0U);
  }
  EXPECT_EQ(f().value(), redeploys);
}

TEST_P(version_test, old_versions_hold_no_instances) {
  struct counted {
    std::atomic<int>* alive;
    explicit counted(std::atomic<int>* count) : alive(count) { ++*alive; }
    counted(const counted& other) : alive(other.alive) { ++*alive; }
    ~counted() { --*alive; }
    void operator()(context&) {}
  };
  constexpr int versions = 100;
  for (int i = 0; i < versions; ++i) {
    engine_.deploy("f", counted(&alive_))().value();
  }

  while (live_instances() > 1) std::this_thread::yield();

  EXPECT_EQ(alive_, versions + 1) << "what they are copied from, and one";
}

TEST_P(version_test, what_is_in_flight_finishes_on_its_version) {
  std::atomic<bool> go = false;
  std::atomic<bool> started = false;
  const auto f = engine_.deploy("f", [&](context& ctx) {
    started = true;
    while (!go) ctx.yield();
    return 1;
  });
  auto first = f.async();
  while (!started) std::this_thread::yield();

  deploy_answer(2);
  EXPECT_EQ(f().value(), 2);
  go = true;

  EXPECT_EQ(first.get().value(), 1);
  while (live_instances() > 1) std::this_thread::yield();
}

TEST_P(version_test, rolling_back_makes_the_one_before_live) {
  const auto f = deploy_answer(1);
  deploy_answer(2);
  deploy_answer(3);

  EXPECT_EQ(engine_.roll_back("f"), 2U);
  EXPECT_EQ(f().value(), 2);
  EXPECT_EQ(engine_.roll_back("f"), 1U);
  EXPECT_EQ(f().value(), 1);

  EXPECT_THROW(engine_.roll_back("f"), hotplate::bad_config);
  EXPECT_THROW(engine_.roll_back("nobody"), hotplate::bad_config);
  EXPECT_EQ(f().value(), 1);
}

TEST_P(version_test, deploying_after_a_roll_back_takes_the_next_number) {
  const auto f = deploy_answer(1);
  deploy_answer(2);
  engine_.roll_back("f");

  deploy_answer(3);

  EXPECT_EQ(f().usage().version, 3U);
  EXPECT_EQ(engine_.roll_back("f"), 1U) << "what was live before it";
}

TEST_P(version_test, what_is_rolled_back_to_is_kept_warm_again) {
  const auto f = deploy_answer(1);
  deploy_answer(2);

  engine_.roll_back("f");

  EXPECT_EQ(f().usage().start, start_kind::cold);
  EXPECT_EQ(f().usage().start, start_kind::warm);
  EXPECT_EQ(engine_.invoke("f:2").usage().start, start_kind::cold);
  EXPECT_EQ(engine_.invoke("f:2").usage().start, start_kind::cold);
}

TEST_P(version_test, rolling_back_brings_back_the_limit) {
  engine_.deploy("f", [](context& ctx) { ctx.sleep_for(seconds(1)); },
                 {.max_concurrency = 1});
  const auto f =
      engine_.deploy("f", [](context& ctx) { ctx.sleep_for(seconds(1)); },
                     {.max_concurrency = 2});

  engine_.roll_back("f");
  auto first = f.async();

  EXPECT_EQ(f.async().get().code(), errc::throttled);
  first.cancel();
}

TEST_P(version_test, one_version_can_be_removed) {
  deploy_answer(1);
  deploy_answer(2);
  deploy_answer(3);

  EXPECT_TRUE(engine_.remove("f:2"));
  EXPECT_FALSE(engine_.remove("f:2"));
  EXPECT_FALSE(engine_.remove("f:7"));
  EXPECT_FALSE(engine_.remove("nobody:1"));

  EXPECT_EQ(engine_.invoke("f:2").code(), errc::not_found);
  EXPECT_EQ(engine_.roll_back("f"), 1U) << "over the removed one";
}

TEST_P(version_test, the_live_version_is_not_removed) {
  deploy_answer(1);

  try {
    engine_.remove("f:1");
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems()[0], HasSubstr("is live"));
  }
  EXPECT_EQ(engine_.invoke("f").value().text(), "1");
}

TEST_P(version_test, what_removed_handlers_captured_goes_with_later_removals) {
  const auto captured = std::make_shared<int>(1);
  long most = 0;

  for (int i = 0; i < 200; ++i) {
    engine_.deploy("f", [captured] { return *captured; })().value();
    engine_.remove("f");
    most = std::max(most, captured.use_count());
  }

  EXPECT_LE(most, 40) << "instead of 200";
}

INSTANTIATE_TEST_SUITE_P(workers, version_test, testing::Values(1, 2, 4));

}  // namespace
