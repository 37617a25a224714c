#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/suspend.hpp"
#include "sharing.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::instance_state;
using hotplate::retire_reason;
using hotplate::start_kind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(share_test, so_many_use_an_instance_at_once) {
  const auto f = deploy({.instance_concurrency = 2});

  std::vector<pending> all;
  for (int i = 0; i < 5; ++i) all.push_back(start(f, seconds(1)));
  EXPECT_EQ(instances().size(), 3U);
  std::vector<std::string> starts;
  std::vector<int> used;
  for (pending& each : all) {
    const auto outcome = each.get();
    starts.emplace_back(to_string(outcome.usage().start));
    used.push_back(outcome.value());
  }

  EXPECT_THAT(starts, ElementsAre("cold", "warm", "cold", "warm", "cold"));
  EXPECT_THAT(used, ElementsAre(0, 0, 1, 1, 2));
}

TEST_F(share_test, one_in_use_with_room_is_preferred_to_an_idle_one) {
  const auto f = deploy({.instance_concurrency = 2});
  auto a = start(f, seconds(1));
  auto b = start(f, seconds(1));
  auto c = start(f, seconds(3));
  a.get().value();
  b.get().value();

  auto d = start(f, now);
  EXPECT_EQ(d.get().value(), 1) << "c's";
  engine_.run_until_idle();

  EXPECT_EQ(f(now).value(), 1) << "of the idle ones, that used last";
}

TEST_F(share_test, of_those_with_room_the_last_to_have_it_comes_first) {
  const auto f = deploy({.instance_concurrency = 2});
  auto a = start(f, milliseconds(1));
  auto b = start(f, seconds(9));
  auto c = start(f, milliseconds(2));
  auto d = start(f, seconds(9));
  a.get().value();
  c.get().value();

  EXPECT_EQ(f(now).value(), 1);
  b.cancel();
  d.cancel();
}

TEST_F(share_test, describe_says_by_how_many_one_is_used) {
  const auto f = deploy({.instance_concurrency = 3});
  auto a = start(f, seconds(1));
  auto b = start(f, seconds(2));
  ASSERT_EQ(instances().size(), 1U);
  EXPECT_EQ(instances()[0].in_use, 2);
  EXPECT_EQ(instances()[0].state, instance_state::in_use);

  engine_.run_for(milliseconds(1500));
  EXPECT_EQ(instances()[0].in_use, 1);
  EXPECT_EQ(instances()[0].uses, 1U);
  b.get().value();

  EXPECT_EQ(instances()[0].in_use, 0);
  EXPECT_EQ(instances()[0].state, instance_state::idle);
  EXPECT_EQ(instances()[0].uses, 2U);
  engine_.run_for(seconds(5));
  EXPECT_EQ(engine_.functions()[0].idle, seconds(5));
}

TEST_F(share_test, keep_alive_starts_with_the_last_of_its_invocations) {
  const auto f = deploy({.keep_alive = seconds(10), .instance_concurrency = 2});
  auto a = start(f, seconds(1));
  auto b = start(f, seconds(2));
  b.get().value();

  engine_.run_for(seconds(10) - milliseconds(1));
  EXPECT_EQ(counts_.alive(), 1);
  engine_.run_for(milliseconds(2));

  EXPECT_EQ(counts_.alive(), 0);
}

TEST_F(share_test, one_that_failed_takes_no_new_ones_and_goes_last) {
  const auto f = deploy({.timeout = seconds(2), .instance_concurrency = 4});
  auto a = start(f, seconds(9));
  engine_.run_for(seconds(1));
  auto b = start(f, milliseconds(1900));
  engine_.run_for(seconds(1));
  EXPECT_EQ(a.get().code(), errc::timed_out);

  EXPECT_EQ(f(now).usage().start, start_kind::cold);
  EXPECT_EQ(counts_.destroyed, 0) << "b uses it";
  EXPECT_EQ(b.get().value(), 0);

  EXPECT_EQ(counts_.retired_for(retire_reason::failed), 1);
  EXPECT_EQ(counts_.alive(), 1);
}

/// Goes on, whatever happens to its invocation, until it is let go.
struct stubborn {
  hotplate::semaphore* gate;
  int* running;

  struct presence {
    explicit presence(const stubborn& its) : of(its) { ++*of.running; }
    presence(const presence&) = delete;
    ~presence() {
      if (std::uncaught_exceptions() > 0) of.gate->acquire();
      --*of.running;
    }
    const stubborn& of;
  };
  // Not const: each instance has a copy of its own.
  void operator()(context& ctx, bool wait) {
    const presence here(*this);
    if (wait) ctx.sleep_for(hours(1));
  }
};

TEST_F(share_test, nobody_joins_an_overrun) {
  int running = 0;
  hotplate::semaphore gate(engine_, 0);
  const auto f = engine_.deploy("g", stubborn{&gate, &running},
                                {.instance_concurrency = 10});
  auto a = f.async(true);
  engine_.poll();
  a.cancel();
  EXPECT_EQ(a.get().code(), errc::cancelled);
  engine_.poll();
  EXPECT_EQ(running, 1) << "it goes on";

  EXPECT_EQ(f(false).usage().start, start_kind::cold);

  gate.release();
  engine_.poll();
  EXPECT_EQ(engine_.functions()[0].instances, 1U);
}

TEST_F(share_test, an_exception_is_no_reason_to_retire_one) {
  int calls = 0;
  const auto f = engine_.deploy("g",
                                [&calls, own = 0](context&, bool fail) mutable {
                                  ++calls;
                                  if (fail) throw std::runtime_error("no");
                                  return ++own;
                                },
                                {.instance_concurrency = 2});

  EXPECT_EQ(f(true).code(), errc::function_threw);

  EXPECT_EQ(f(false).usage().start, start_kind::warm);
}

TEST_F(share_test, max_uses_counts_those_that_use_it) {
  const auto f = deploy({.max_uses = 3, .instance_concurrency = 10});
  std::vector<pending> all;
  for (int i = 0; i < 7; ++i) all.push_back(start(f, seconds(1)));

  std::vector<int> used;
  for (pending& each : all) used.push_back(each.get().value());

  EXPECT_THAT(used, ElementsAre(0, 0, 0, 1, 1, 1, 2));
  EXPECT_EQ(counts_.retired_for(retire_reason::used_up), 2);
  EXPECT_EQ(counts_.alive(), 1);
}

TEST_F(share_test, max_instances_is_for_instances_not_for_their_users) {
  const auto f = deploy({.max_instances = 2, .instance_concurrency = 2});
  std::vector<pending> all;
  for (int i = 0; i < 4; ++i) all.push_back(start(f, seconds(1)));

  const auto fifth = f(now);

  EXPECT_EQ(fifth.code(), errc::throttled);
  EXPECT_THAT(fifth.error().message, HasSubstr("max_instances"));
  for (pending& each : all) EXPECT_TRUE(each.get());
}

TEST_F(share_test, provisioned_ones_are_shared_and_replaced) {
  const auto f = deploy(
      {.timeout = seconds(2), .provisioned = 1, .instance_concurrency = 2});
  engine_.poll();
  auto a = start(f, seconds(9));
  auto b = start(f, seconds(1));
  EXPECT_EQ(b.get().usage().start, start_kind::provisioned_warm);
  const auto failed = a.get();
  EXPECT_EQ(failed.usage().start, start_kind::provisioned);
  EXPECT_EQ(failed.code(), errc::timed_out);
  engine_.poll();

  EXPECT_EQ(counts_.made, 2);
  EXPECT_EQ(f(now).usage().start, start_kind::provisioned);
}

TEST_F(share_test, copies_of_a_snapshot_are_shared) {
  const auto f = deploy({.instance_concurrency = 2, .snapshot = true});
  std::vector<pending> all;
  for (int i = 0; i < 4; ++i) all.push_back(start(f, seconds(1)));

  std::vector<start_kind> starts;
  for (pending& each : all) starts.push_back(each.get().usage().start);

  EXPECT_THAT(starts, ElementsAre(start_kind::cold, start_kind::warm,
                                  start_kind::restored, start_kind::warm));
}

TEST_F(share_test, its_number_is_checked) {
  EXPECT_THROW(deploy({.instance_concurrency = 0}), hotplate::bad_config);
  EXPECT_THROW(deploy({.instance_concurrency = 1'001}), hotplate::bad_config);
  EXPECT_NO_THROW(deploy({.instance_concurrency = 1'000}));
}

}  // namespace
