#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>

#include "counted.hpp"
#include "hotplate/keep_alive.hpp"

namespace {

using hotplate::context;
using hotplate::retire_reason;
using hotplate::start_kind;
using hotplate::time_point;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct kept_state : counted<kept_state> {
  void operator()(context& ctx, bool wait) {
    if (wait) ctx.sleep_for(seconds(1));
  }
};

/// Keeps an instance for three times the longest pause between invocations that
/// it has seen, and once more, for as long as `more` says.
struct by_pauses final : hotplate::keep_alive_policy {
  void on_invoke(time_point now, bool cold) noexcept override {
    if (invoked++ > 0) longest = std::max(longest, now - last);
    if (cold) ++cold_starts;
    last = now;
  }
  nanoseconds on_idle(time_point) noexcept override {
    ++idles;
    return 3 * longest;
  }
  nanoseconds tick(time_point now, nanoseconds idle) noexcept override {
    ticked_at = now;
    was_idle = idle;
    ++ticks;
    return std::exchange(more, nanoseconds(0));
  }

  nanoseconds longest{1'000'000};
  time_point last;
  int invoked = 0;
  int cold_starts = 0;
  int idles = 0;
  int ticks = 0;
  time_point ticked_at;
  nanoseconds was_idle{0};
  nanoseconds more{0};
};

class keep_alive_test : public testing::Test {
 protected:
  keep_alive_test() { kept_state::counts = &counts_; }

  hotplate::function<void(bool)> deploy(hotplate::function_config config = {}) {
    config.keep_alive_by = policy_;
    return engine_.deploy<kept_state>("f", config);
  }

  instance_counts counts_;
  hotplate::manual_clock clock_;
  std::shared_ptr<by_pauses> policy_ = std::make_shared<by_pauses>();
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(keep_alive_test, an_instance_is_kept_as_its_policy_has_learnt) {
  const auto f = deploy();
  f(false).value();
  engine_.run_for(milliseconds(2));
  f(false).value();
  const nanoseconds kept = 3 * milliseconds(2);

  engine_.run_for(kept - nanoseconds(1));
  engine_.poll();
  EXPECT_EQ(counts_.alive(), 1);
  engine_.run_for(nanoseconds(2));

  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(counts_.retired_for(retire_reason::expired), 1);
  EXPECT_EQ(policy_->was_idle, kept) << "to the nanosecond";
  EXPECT_EQ(policy_->invoked, 2);
  EXPECT_EQ(policy_->cold_starts, 1);
}

TEST_F(keep_alive_test, a_policy_may_prolong_what_it_said) {
  const auto f = deploy();
  f(false).value();
  policy_->more = seconds(7);

  engine_.run_for(seconds(7) + milliseconds(3) - nanoseconds(1));
  EXPECT_EQ(policy_->ticks, 1);
  EXPECT_EQ(counts_.alive(), 1);
  engine_.run_for(nanoseconds(2));

  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(policy_->ticks, 2);
  EXPECT_EQ(engine_.functions()[0].idle, seconds(7) + milliseconds(3));
}

TEST_F(keep_alive_test, a_shorter_time_said_later_comes_first) {
  const auto f = deploy();
  policy_->longest = seconds(100);
  auto first = f.async(true);
  auto second = f.async(true);
  engine_.poll();
  engine_.run_for(milliseconds(900));
  auto third = f.async(true);
  engine_.poll();
  engine_.run_for(milliseconds(500));
  policy_->longest = seconds(1);
  engine_.run_for(seconds(1));
  EXPECT_EQ(counts_.alive(), 3);

  engine_.run_for(seconds(10));
  EXPECT_EQ(counts_.alive(), 2) << "the third, idle for three seconds";
  engine_.run_for(seconds(300));

  EXPECT_EQ(counts_.alive(), 0);
}

TEST_F(keep_alive_test, no_time_ends_an_instance_at_once) {
  const auto f = deploy();
  policy_->longest = seconds(0);

  f(false).value();

  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(policy_->ticks, 0);
  EXPECT_EQ(f(false).usage().start, start_kind::cold);
}

TEST_F(keep_alive_test, more_than_a_year_is_a_year) {
  const auto f = deploy();
  policy_->longest = nanoseconds::max() / 3;
  f(false).value();

  engine_.run_for(hours(365 * 24) - seconds(1));
  EXPECT_EQ(counts_.alive(), 1);
  engine_.run_for(seconds(2));

  EXPECT_EQ(counts_.alive(), 0);
}

TEST_F(keep_alive_test, the_minimum_is_not_asked_for) {
  const auto f = deploy({.min_instances = 1});
  auto first = f.async(true);
  auto second = f.async(true);
  engine_.run_until_idle();

  engine_.run_for(hours(1));

  EXPECT_EQ(counts_.alive(), 1);
  EXPECT_EQ(policy_->ticks, 1);
}

TEST_F(keep_alive_test, nothing_is_asked_for_once_no_instance_is_left) {
  const auto f = deploy({.max_uses = 2});
  policy_->longest = hours(1);
  f(false).value();
  f(false).value();
  ASSERT_EQ(counts_.alive(), 0) << "used up";

  clock_.advance(hours(10));

  EXPECT_EQ(engine_.poll(), 0U) << "not even a timer";
  EXPECT_EQ(policy_->ticks, 0);
  EXPECT_EQ(policy_->idles, 1);
}

TEST_F(keep_alive_test, a_policy_lives_as_long_as_its_versions) {
  std::weak_ptr<by_pauses> seen = policy_;
  {
    hotplate::engine brief({.workers = 0});
    brief.deploy<kept_state>("g", {.keep_alive_by = std::move(policy_)});
    EXPECT_FALSE(seen.expired());
  }
  EXPECT_TRUE(seen.expired());
}

TEST_F(keep_alive_test, a_redeployed_policy_s_instances_end_unasked) {
  const auto f = deploy();
  policy_->longest = hours(1);
  f(false).value();

  deploy();
  engine_.poll();

  EXPECT_EQ(counts_.retired_for(retire_reason::redeployed), 1);
  EXPECT_EQ(policy_->ticks, 0);
}

/// Asks its engine, from each call: none is made under a lock of that.
struct curious final : hotplate::keep_alive_policy {
  explicit curious(hotplate::engine*& of) : engine(of) {}
  void on_invoke(time_point, bool) noexcept override { look(); }
  nanoseconds on_idle(time_point) noexcept override {
    look();
    return milliseconds(1);
  }
  nanoseconds tick(time_point, nanoseconds) noexcept override {
    look();
    return nanoseconds(0);
  }
  void look() noexcept {
    static_cast<void>(engine->functions());
    static_cast<void>(engine->describe());
    ++calls;
  }
  hotplate::engine*& engine;
  std::atomic<int> calls = 0;
};

TEST(keep_alive_workers, a_policy_is_called_without_a_lock) {
  instance_counts counts;
  kept_state::counts = &counts;
  hotplate::engine* shown = nullptr;
  const auto policy = std::make_shared<curious>(shown);
  hotplate::engine engine({.workers = 2});
  shown = &engine;
  const auto f = engine.deploy<kept_state>("f", {.keep_alive_by = policy});

  for (int i = 0; i < 20; ++i) f(false).value();

  EXPECT_TRUE(eventually(engine, [&] { return counts.alive() == 0; }));
  EXPECT_GE(policy->calls, 41);
}

}  // namespace
