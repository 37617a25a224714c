#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "counted.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::retire_reason;
using hotplate::start_kind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct provisioned_state : counted<provisioned_state> {
  int operator()(context& ctx, int work) {
    if (work == 1) ctx.sleep_for(milliseconds(50));
    if (work == 2) ctx.sleep_for(seconds(100));
    return work;
  }
};

class provision_test : public testing::TestWithParam<int> {
 protected:
  provision_test() { provisioned_state::counts = &counts_; }

  std::uint64_t live() { return engine_.functions()[0].instances; }
  // Made and there to be taken, of the live version.
  bool are_ready(std::size_t count) {
    return eventually(engine_, [&] {
      const auto all = engine_.describe().functions[0].versions.back();
      const auto idle =
          std::count_if(all.instances.begin(), all.instances.end(),
                        [](const hotplate::instance_info& each) {
                          return each.state == hotplate::instance_state::idle;
                        });
      return static_cast<std::size_t>(idle) == count;
    });
  }

  instance_counts counts_;
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(provision_test, instances_are_made_ahead_from_deploy_on) {
  engine_.deploy<provisioned_state>("f", {.provisioned = 3});

  ASSERT_TRUE(are_ready(3));

  EXPECT_EQ(live(), 3U);
}

TEST_P(provision_test, the_first_use_of_each_is_a_provisioned_start) {
  const auto f = engine_.deploy<provisioned_state>("f", {.provisioned = 2});
  ASSERT_TRUE(are_ready(2));

  const auto first = f(0);
  const auto again = f(0);

  EXPECT_EQ(first.usage().start, start_kind::provisioned);
  EXPECT_EQ(first.usage().init.count(), 0);
  EXPECT_NE(again.usage().start, start_kind::cold);
  EXPECT_EQ(counts_.made, 2);
}

TEST_P(provision_test, invocations_beyond_them_start_cold) {
  const auto f = engine_.deploy<provisioned_state>("f", {.provisioned = 1});
  ASSERT_TRUE(are_ready(1));
  auto held = f.async(2);
  ASSERT_TRUE(eventually(
      engine_, [&] { return f(0).usage().start == start_kind::cold; }));

  EXPECT_EQ(f(0).usage().start, start_kind::warm);
  EXPECT_EQ(counts_.made, 2);
  held.cancel();
}

TEST_P(provision_test, one_that_failed_is_replaced) {
  const auto f = engine_.deploy<provisioned_state>(
      "f", {.timeout = milliseconds(200), .provisioned = 1});
  ASSERT_TRUE(are_ready(1));

  EXPECT_EQ(f(2).code(), errc::timed_out);

  EXPECT_TRUE(eventually(engine_, [&] {
    return counts_.made == 2 && counts_.retired_for(retire_reason::failed) == 1;
  }));
}

TEST_P(provision_test, one_that_is_used_up_is_replaced) {
  const auto f =
      engine_.deploy<provisioned_state>("f", {.provisioned = 1, .max_uses = 2});
  ASSERT_TRUE(are_ready(1));

  f(0).value();
  f(0).value();

  EXPECT_TRUE(eventually(engine_, [&] { return counts_.made == 2; }));
  EXPECT_TRUE(eventually(engine_, [&] { return live() == 1; }));
  EXPECT_EQ(counts_.retired_for(retire_reason::used_up), 1);
}

TEST_P(provision_test, a_new_version_has_its_own_and_the_old_one_none) {
  engine_.deploy<provisioned_state>("f", {.provisioned = 2});
  ASSERT_TRUE(are_ready(2));

  engine_.deploy<provisioned_state>("f", {.provisioned = 3});

  EXPECT_TRUE(eventually(engine_, [&] { return counts_.made == 5; }));
  EXPECT_TRUE(eventually(engine_, [&] {
    return counts_.retired_for(retire_reason::redeployed) == 2;
  }));
  EXPECT_TRUE(eventually(engine_, [&] { return counts_.alive() == 3; }));
  engine_.roll_back("f");
  EXPECT_TRUE(eventually(engine_, [&] { return counts_.alive() == 2; }));
}

TEST_P(provision_test, removed_functions_have_none) {
  engine_.deploy<provisioned_state>("f", {.provisioned = 2});
  ASSERT_TRUE(are_ready(2));

  engine_.remove("f");

  EXPECT_TRUE(eventually(engine_, [&] {
    return counts_.retired_for(retire_reason::removed) == 2;
  }));
  EXPECT_TRUE(eventually(engine_, [&] { return live() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(workers, provision_test, testing::Values(0, 1, 2, 4));

class pumped_provision_test : public testing::Test {
 protected:
  pumped_provision_test() { provisioned_state::counts = &counts_; }

  instance_counts counts_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(pumped_provision_test, the_pump_makes_them) {
  engine_.deploy<provisioned_state>("f", {.provisioned = 2});
  EXPECT_EQ(counts_.made, 0);

  engine_.poll();

  EXPECT_EQ(counts_.made, 2);
}

TEST_F(pumped_provision_test, they_do_not_expire) {
  const auto f = engine_.deploy<provisioned_state>(
      "f", {.keep_alive = seconds(1), .provisioned = 1});
  engine_.poll();
  auto held = f.async(1);
  f(1).value();
  held.get().value();
  EXPECT_EQ(counts_.alive(), 2);

  engine_.run_for(hours(24));

  EXPECT_EQ(counts_.alive(), 1);
  EXPECT_EQ(counts_.retired_for(retire_reason::expired), 1);
  EXPECT_NE(f(0).usage().start, start_kind::cold);
}

struct failing_state {
  static inline int attempts = 0;
  static inline int failures = 0;
  failing_state() {
    ++attempts;
    if (failures > 0 && failures-- > 0) throw std::runtime_error("not yet");
  }
  void operator()(context&) {}
};

TEST_F(pumped_provision_test, an_init_that_fails_is_tried_ever_later) {
  failing_state::attempts = 0;
  failing_state::failures = 3;
  const auto f = engine_.deploy<failing_state>("f", {.provisioned = 1});
  engine_.poll();
  EXPECT_EQ(failing_state::attempts, 1);

  engine_.run_for(milliseconds(999));
  EXPECT_EQ(failing_state::attempts, 1);
  engine_.run_for(seconds(3));
  EXPECT_EQ(failing_state::attempts, 3) << "after 1 and 3 seconds";
  engine_.run_for(seconds(4));

  EXPECT_EQ(failing_state::attempts, 4);
  EXPECT_EQ(f().usage().start, start_kind::provisioned);
}

struct slow_state {
  static inline hotplate::manual_clock* clock = nullptr;
  static inline int made = 0;
  slow_state() {
    if (++made == 1) clock->advance(seconds(11));
  }
  void operator()(context&) {}
};

TEST_F(pumped_provision_test, an_init_beyond_its_deadline_is_not_used) {
  slow_state::clock = &clock_;
  slow_state::made = 0;
  engine_.deploy<slow_state>("f", {.provisioned = 1});
  engine_.poll();
  EXPECT_EQ(engine_.functions()[0].instances, 0U);

  engine_.run_for(seconds(2));

  EXPECT_EQ(slow_state::made, 2);
  EXPECT_EQ(engine_.functions()[0].instances, 1U);
}

}  // namespace
