// Functions that start cold again and again: their instances are counted and
// listed by worker. What is promised of instances holds for these as well.

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "counted.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::instance_state;
using hotplate::retire_reason;
using hotplate::start_kind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

enum class what { nothing, wait, raise };

struct sharded_state : counted<sharded_state> {
  static inline hotplate::semaphore* end = nullptr;
  static inline bool fails = false;

  sharded_state() {
    if (fails) throw std::runtime_error("no");
  }
  sharded_state(const sharded_state&) = delete;
  void operator()(context&, what todo) {
    if (todo == what::wait) end->acquire();
    if (todo == what::raise) throw std::runtime_error("no");
  }
};

/// Ends without any code of its own.
struct silent_state {
  int uses = 0;
  void operator()(context&, what todo) {
    ++uses;
    if (todo == what::wait) sharded_state::end->acquire();
  }
};

class shard_test : public testing::Test {
 protected:
  using function = hotplate::function<void(what)>;

  shard_test() {
    sharded_state::counts = &counts_;
    sharded_state::end = &end_;
    sharded_state::fails = false;
  }

  /// After so many cold starts at once, workers have shards.
  static constexpr int many = 20;

  void start_many_cold(const function& f) {
    park(f, many);
    let_go();
  }
  void park(const function& f, int count) {
    for (int i = 0; i < count; ++i) parked_.push_back(f.async(what::wait));
    engine_.poll();
  }
  void let_go() {
    for (std::size_t i = 0; i < parked_.size(); ++i) end_.release();
    for (auto& each : parked_) EXPECT_TRUE(each.get());
    parked_.clear();
    engine_.poll();
  }
  std::vector<hotplate::instance_info> listed() {
    return engine_.describe().functions[0].versions[0].instances;
  }
  std::uint64_t instances() { return engine_.functions()[0].instances; }

  instance_counts counts_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
  hotplate::semaphore end_{engine_, 0};
  std::vector<hotplate::pending<void>> parked_;
};

constexpr milliseconds none{0};

TEST_F(shard_test, each_is_counted_and_listed_until_it_is_gone) {
  const function f = engine_.deploy<sharded_state>(
      "f", {.timeout = seconds(900), .keep_alive = none});
  start_many_cold(f);
  ASSERT_EQ(instances(), 0U);

  park(f, 3);

  EXPECT_EQ(instances(), 3U);
  ASSERT_EQ(listed().size(), 3U);
  for (const auto& each : listed())
    EXPECT_EQ(each.state, instance_state::in_use);
  let_go();
  EXPECT_EQ(instances(), 0U);
  EXPECT_TRUE(listed().empty());
  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(counts_.retired_for(retire_reason::expired), many + 3);
  EXPECT_EQ(counts_.retired_in_all(), many + 3);
}

TEST_F(shard_test, those_that_end_silently_are_counted_and_listed_too) {
  const function f = engine_.deploy<silent_state>(
      "f", {.timeout = seconds(900), .max_uses = 1});
  start_many_cold(f);

  park(f, 3);

  EXPECT_EQ(instances(), 3U);
  EXPECT_EQ(listed().size(), 3U);
  let_go();
  EXPECT_EQ(instances(), 0U);
  EXPECT_TRUE(listed().empty());
}

TEST_F(shard_test, as_many_as_max_instances_whatever_has_ended_or_failed) {
  const function f = engine_.deploy<sharded_state>(
      "f",
      {.timeout = seconds(900), .keep_alive = none, .max_instances = many});
  start_many_cold(f);
  for (int i = 0; i < 2 * many; ++i) static_cast<void>(f(what::raise));
  sharded_state::fails = true;
  for (int i = 0; i < 2 * many; ++i) {
    EXPECT_EQ(f(what::nothing).code(), errc::init_failed);
  }
  sharded_state::fails = false;

  park(f, many);
  EXPECT_EQ(f(what::nothing).code(), errc::throttled);

  EXPECT_EQ(counts_.alive(), many) << "no room was lost, nor made up";
  EXPECT_EQ(instances(), static_cast<std::uint64_t>(many));
  let_go();
  EXPECT_TRUE(f(what::nothing));
}

TEST_F(shard_test, an_idle_one_is_used_before_another_starts_cold) {
  const function f = engine_.deploy<sharded_state>("f");
  start_many_cold(f);
  const int made = counts_.made;

  park(f, many);
  let_go();

  EXPECT_EQ(counts_.made, made);
  EXPECT_EQ(f(what::nothing).usage().start, start_kind::warm);
}

TEST_F(shard_test, idle_ones_expire_and_leave_no_timer) {
  const function f = engine_.deploy<sharded_state>(
      "f", {.timeout = seconds(900), .keep_alive = seconds(1), .max_uses = 2});
  start_many_cold(f);
  ASSERT_EQ(counts_.alive(), many);

  engine_.run_for(seconds(2));
  EXPECT_EQ(counts_.retired_for(retire_reason::expired), many);
  static_cast<void>(f(what::nothing));
  static_cast<void>(f(what::nothing));
  ASSERT_EQ(counts_.alive(), 0) << "used up";
  clock_.advance(hours(1));

  EXPECT_EQ(engine_.poll(), 0U) << "not even a timer";
}

TEST_F(shard_test, those_of_a_version_replaced_end_with_it) {
  const auto deploy = [&] {
    return function(
        engine_.deploy<sharded_state>("f", {.timeout = seconds(900)}));
  };
  const function f = deploy();
  start_many_cold(f);
  park(f, 1);

  deploy();
  engine_.poll();
  EXPECT_EQ(counts_.retired_for(retire_reason::redeployed), many - 1);
  let_go();

  EXPECT_EQ(counts_.retired_for(retire_reason::redeployed), many);
  EXPECT_EQ(counts_.alive(), 0);
}

}  // namespace
