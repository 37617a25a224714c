#include "hotplate/describe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::instance_state;
using hotplate::invocation_info;
using hotplate::invocation_state;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::EndsWith;

// Host-pumped: everything stands still while the test looks.
class in_flight_test : public testing::Test {
 protected:
  void look() {
    engine_.poll();
    seen_ = engine_.in_flight();
    std::sort(seen_.begin(), seen_.end(), [](const auto& a, const auto& b) {
      return a.id.number < b.id.number;
    });
  }

  hotplate::manual_clock clock_;
  std::vector<invocation_info> seen_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(in_flight_test, nothing_is_listed_that_has_ended) {
  const auto one = engine_.deploy("one", [](context&) { return 1; });
  ASSERT_EQ(one().value(), 1);
  look();
  EXPECT_TRUE(seen_.empty());
}

TEST_F(in_flight_test, a_sleeper_is_shown_with_its_line_of_code) {
  std::uint32_t line = 0;
  const auto nap = engine_.deploy("nap", [&](context& ctx) {
    line = __LINE__ + 1;
    ctx.sleep_for(milliseconds(100));
  });
  auto sleeping = nap.async();
  engine_.poll();
  engine_.run_for(milliseconds(40));
  look();

  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0].function, "nap");
  EXPECT_EQ(seen_[0].version, 1U);
  EXPECT_EQ(seen_[0].state, invocation_state::suspended);
  EXPECT_EQ(seen_[0].age, milliseconds(40));
  EXPECT_EQ(seen_[0].worker, 0);
  EXPECT_EQ(seen_[0].where.line(), line);
  EXPECT_THAT(seen_[0].where.file_name(), EndsWith("describe_test.cpp"));
  EXPECT_FALSE(seen_[0].overrun);
  const auto id = seen_[0].id;
  EXPECT_EQ(sleeping.get().usage().id, id);
}

TEST_F(in_flight_test, queued_and_waiting_ones_are_told_apart) {
  const auto nap =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); },
                     {.max_concurrency = 1, .max_waiting = 1});
  auto queued = nap.async();
  auto waiting = nap.async();
  seen_ = engine_.in_flight();

  std::vector<invocation_state> states;
  for (const auto& each : seen_) states.push_back(each.state);
  EXPECT_THAT(states, testing::UnorderedElementsAre(invocation_state::queued,
                                                    invocation_state::waiting));
  EXPECT_EQ(engine_.describe().functions[0].waiting, 1);
  EXPECT_EQ(engine_.describe().functions[0].in_flight, 1);
}

TEST(in_flight_with_workers_test, a_running_one_has_its_worker_and_overruns) {
  std::atomic<bool> release = false;  // The engine, too, waits for the handler.
  hotplate::engine engine({.workers = 2});
  const auto spin = engine.deploy("spin",
                                  [&](context&) {
                                    while (!release) {
                                    }
                                  },
                                  {.timeout = milliseconds(200)});
  auto hog = spin.async();
  ASSERT_TRUE(becomes_true([&] {
    const auto seen = engine.in_flight();
    return seen.size() == 1 && seen[0].state == invocation_state::running &&
           seen[0].worker >= 0 && seen[0].worker < 2;
  }));
  (void)hog.get();

  const auto seen = engine.in_flight();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_TRUE(seen[0].overrun);
  EXPECT_GE(seen[0].age, milliseconds(200));
  release = true;
}

// Looks while four kinds of things change; ThreadSanitizer watches.
TEST(in_flight_with_workers_test, looking_disturbs_nobody) {
  std::atomic<bool> done = false;
  hotplate::engine engine({.workers = 2});
  const auto inner = engine.deploy("inner", [](context&) { return 1; });
  const auto outer =
      engine.deploy("outer", [&](context&) { return inner().value() + 1; });
  std::thread looker([&] {
    while (!done) {
      for (const auto& each : engine.in_flight()) {
        EXPECT_TRUE(each.function == "inner" || each.function == "outer");
        EXPECT_LT(each.age, seconds(100));
      }
      EXPECT_EQ(engine.describe().functions.size(), 2U);
    }
  });
  for (int i = 0; i < 3'000; ++i) EXPECT_EQ(outer().value(), 2);
  done = true;
  looker.join();
}

struct counter {
  int operator()(context&) { return ++calls; }
  int calls = 0;
};

TEST(describe_test, shows_versions_instances_aliases_and_limits) {
  hotplate::manual_clock clock;
  hotplate::engine engine(
      {.workers = 0, .name = "oven", .max_concurrency = 10, .clock = &clock});
  const auto call = engine.deploy<counter>("count", {.max_uses = 9});
  (void)engine.deploy<counter>(
      "count", {.reserved_concurrency = 4, .keep_alive = seconds(60)});
  engine.alias("count", "prod", {{1, 0.25}, {2, 0.75}});
  engine.run_for(seconds(1));
  for (int i = 0; i < 3; ++i) (void)call();
  engine.run_for(seconds(5));

  const hotplate::engine_info all = engine.describe();

  EXPECT_EQ(all.name, "oven");
  EXPECT_EQ(all.workers, 0);
  EXPECT_EQ(all.max_concurrency, 10);
  EXPECT_EQ(all.reserved, 4);
  ASSERT_EQ(all.functions.size(), 1U);
  const hotplate::function_info& function = all.functions[0];
  EXPECT_EQ(function.limit, 4);
  ASSERT_EQ(function.versions.size(), 2U);
  EXPECT_FALSE(function.versions[0].live);
  EXPECT_TRUE(function.versions[1].live);
  EXPECT_EQ(function.versions[0].config.max_uses, 9);
  EXPECT_TRUE(function.versions[0].instances.empty());
  ASSERT_EQ(function.versions[1].instances.size(), 1U);
  const hotplate::instance_info& instance = function.versions[1].instances[0];
  EXPECT_EQ(instance.state, instance_state::idle);
  EXPECT_EQ(instance.uses, 3U);
  EXPECT_EQ(instance.age, seconds(5));
  EXPECT_EQ(instance.idle, seconds(5));
  EXPECT_GE(instance.bytes, sizeof(counter));
  ASSERT_EQ(function.aliases.size(), 1U);
  EXPECT_EQ(function.aliases[0].name, "prod");
  EXPECT_EQ(function.aliases[0].versions[1].version, 2U);
  EXPECT_EQ(function.aliases[0].versions[1].weight, 0.75);
}

TEST(describe_test, an_instance_is_in_use_while_its_handler_waits) {
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto nap =
      engine.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  auto first = nap.async();
  engine.poll();

  const auto instances = engine.describe().functions[0].versions[0].instances;
  ASSERT_EQ(instances.size(), 1U);
  EXPECT_EQ(instances[0].state, instance_state::in_use);
  EXPECT_EQ(instances[0].uses, 0U);
  EXPECT_EQ(engine.describe().in_flight, 1);
}

TEST(describe_test, tenants_are_listed_with_their_limits) {
  hotplate::engine engine({.workers = 1});
  engine.limit_tenant("acme", 7);
  const auto all = engine.describe();
  ASSERT_EQ(all.tenants.size(), 1U);
  EXPECT_EQ(all.tenants[0].limit, 7);
}

}  // namespace
