#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "hotplate/engine.hpp"

// What runs on provisioned capacity, and how long that was reserved.

namespace {

using hotplate::context;
using hotplate::function_stats;
using hotplate::start_kind;
using hotplate::literals::operator""_MiB;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;

struct instance_of_its_own {
  void operator()(context& ctx, int work) {
    if (work == 1) ctx.sleep_for(seconds(1));
    if (work == 2) ctx.sleep_for(minutes(1));
  }
};

class reservation_test : public testing::Test {
 protected:
  using handle = hotplate::function<void(int)>;

  handle deploy(int provisioned) {
    return engine_.deploy<instance_of_its_own>("f",
                                               {.memory = 512_MiB,
                                                .timeout = seconds(10),
                                                .provisioned = provisioned});
  }
  /// How `count` invocations start that run at the same time.
  static std::vector<start_kind> starts_of(const handle& f, int count) {
    std::vector<hotplate::pending<void>> calls;
    for (int i = 0; i < count; ++i) calls.push_back(f.async(1));
    std::vector<start_kind> starts;
    for (auto& each : calls) starts.push_back(each.get().usage().start);
    return starts;
  }
  function_stats stats() { return engine_.functions()[0]; }

  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(reservation_test, every_use_of_a_provisioned_instance_says_so) {
  const handle f = deploy(1);
  engine_.poll();

  const auto first = f(0).usage(), second = f(0).usage(), third = f(0).usage();

  EXPECT_EQ(first.start, start_kind::provisioned);
  EXPECT_EQ(second.start, start_kind::provisioned_warm);
  EXPECT_EQ(third.start, start_kind::provisioned_warm);
  EXPECT_TRUE(is_provisioned(second.start));
}

TEST_F(reservation_test, what_spills_over_is_on_demand_and_counted) {
  const handle f = deploy(1);
  engine_.poll();

  EXPECT_THAT(starts_of(f, 2),
              ElementsAre(start_kind::provisioned, start_kind::cold));
  EXPECT_THAT(starts_of(f, 2),
              testing::UnorderedElementsAre(start_kind::provisioned_warm,
                                            start_kind::warm));

  EXPECT_EQ(stats().on_provisioned(), 2U);
  EXPECT_EQ(stats().on_demand(), 2U);
  EXPECT_EQ(stats().provisioned_warm, 1U);
}

TEST_F(reservation_test, one_made_on_demand_counts_while_others_are_missing) {
  const handle f = deploy(1);

  EXPECT_EQ(f(0).usage().start, start_kind::cold) << "none had been made yet";
  EXPECT_EQ(f(0).usage().start, start_kind::provisioned_warm);
}

TEST_F(reservation_test, the_next_one_counts_when_one_that_counted_failed) {
  const handle f = deploy(1);
  engine_.poll();
  auto failing = f.async(2);
  engine_.poll();
  EXPECT_EQ(f(1).usage().start, start_kind::cold);
  EXPECT_EQ(f(0).usage().start, start_kind::warm);

  EXPECT_EQ(failing.get().usage().start, start_kind::provisioned);
  engine_.poll();

  EXPECT_EQ(f(0).usage().start, start_kind::provisioned_warm);
  EXPECT_EQ(stats().instances, 1U);
}

TEST_F(reservation_test, a_function_without_them_never_runs_on_them) {
  const handle f = deploy(0);

  EXPECT_THAT(starts_of(f, 2), ElementsAre(start_kind::cold, start_kind::cold));
  EXPECT_THAT(starts_of(f, 2), ElementsAre(start_kind::warm, start_kind::warm));

  EXPECT_EQ(stats().on_provisioned(), 0U);
  EXPECT_THAT(stats().reservations, testing::IsEmpty());
}

TEST_F(reservation_test, time_counts_from_deploy_until_removed) {
  clock_.advance(hours(1));
  deploy(2);
  clock_.advance(minutes(7));
  const auto before = stats();
  engine_.remove("f");
  clock_.advance(hours(5));
  const auto after = stats();

  ASSERT_EQ(before.reservations.size(), 1U);
  EXPECT_FALSE(before.reservations[0].ended);
  EXPECT_EQ(before.reservations[0].time, minutes(7));
  EXPECT_DOUBLE_EQ(before.provisioned_gb_seconds(), 2 * 0.5 * 420)
      << "made or not";
  ASSERT_EQ(after.reservations.size(), 1U);
  EXPECT_TRUE(after.reservations[0].ended);
  EXPECT_DOUBLE_EQ(after.provisioned_gb_seconds(), 2 * 0.5 * 420);
}

TEST_F(reservation_test, each_version_has_its_own_while_it_is_in_use) {
  deploy(2);
  clock_.advance(minutes(1));
  deploy(3);
  clock_.advance(minutes(10));
  engine_.roll_back("f");
  clock_.advance(minutes(100));

  const auto all = stats().reservations;

  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].version, 1U);
  EXPECT_EQ(all[0].time, minutes(100));
  EXPECT_FALSE(all[0].ended);
  EXPECT_EQ(all[1].time, minutes(1));
  EXPECT_EQ(all[2].version, 2U);
  EXPECT_EQ(all[2].instances, 3);
  EXPECT_EQ(all[2].time, minutes(10));
  EXPECT_DOUBLE_EQ(stats().provisioned_gb_seconds(),
                   0.5 * 60 * (2 * 1 + 3 * 10 + 2 * 100));
}

TEST_F(reservation_test, an_alias_keeps_the_reservation_of_its_version) {
  deploy(1);
  engine_.alias("f", "stable", {{1}});
  clock_.advance(minutes(1));
  deploy(1);
  clock_.advance(minutes(1));

  EXPECT_DOUBLE_EQ(stats().provisioned_gb_seconds(), 0.5 * (120 + 60));
}

}  // namespace
