#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "counted.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::retire_reason;
using hotplate::start_kind;
using hotplate::literals::operator""_MiB;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

struct sized_state : counted<sized_state> {
  void operator()(context& ctx, bool wait) {
    if (wait) ctx.sleep_for(seconds(1));
  }
};

using sized = hotplate::function<void(bool)>;

class budget_test : public testing::Test {
 protected:
  budget_test() { sized_state::counts = &counts_; }

  sized deploy(const std::string& name, hotplate::function_config config = {}) {
    return engine_.deploy<sized_state>(name, config);
  }
  std::uint64_t evicted(std::size_t function) {
    return engine_.functions()[function].evicted;
  }

  instance_counts counts_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{
      {.workers = 0, .instance_memory = 512_MiB, .clock = &clock_}};
};

TEST_F(budget_test, the_instance_unused_longest_goes_whosever_it_is) {
  const auto a = deploy("a");
  const auto b = deploy("b");
  const auto c = deploy("c", {.memory = 256_MiB});
  const auto d = deploy("d");
  for (const sized& each : {a, b, c}) {
    each(false).value();
    engine_.run_for(seconds(1));
  }
  EXPECT_EQ(engine_.stats().instance_memory, 512_MiB);
  a(false).value();
  engine_.run_for(seconds(1));

  EXPECT_EQ(d(false).usage().start, start_kind::cold);

  EXPECT_EQ(evicted(1), 1U) << "b";
  EXPECT_EQ(engine_.functions()[1].idle, seconds(3));
  EXPECT_EQ(a(false).usage().start, start_kind::warm);
  EXPECT_EQ(c(false).usage().start, start_kind::warm);
  EXPECT_EQ(counts_.retired_for(retire_reason::evicted), 1);
  EXPECT_EQ(engine_.stats().evictions, 1U);
  EXPECT_EQ(engine_.stats().instance_memory_peak, 512_MiB);
}

TEST_F(budget_test, as_many_go_as_are_needed_and_no_more) {
  for (int i = 0; i < 4; ++i) {
    deploy(fmt::format("f{}", i))(false).value();
    engine_.run_for(seconds(1));
  }

  deploy("big", {.memory = 300_MiB})(false).value();

  EXPECT_EQ(counts_.retired_for(retire_reason::evicted), 3);
  EXPECT_EQ(evicted(3), 0U);
  EXPECT_EQ(engine_.stats().instance_memory, 428_MiB);
  EXPECT_EQ(engine_.describe().instance_memory_used, 428_MiB);
  EXPECT_EQ(engine_.describe().instance_memory, 512_MiB);
}

TEST_F(budget_test, one_in_use_is_never_evicted) {
  const auto a = deploy("a", {.memory = 300_MiB});
  const auto idle = deploy("idle");
  const auto b = deploy("b", {.memory = 400_MiB});
  auto held = a.async(true);
  engine_.poll();
  idle(false).value();

  const auto refused = b(false);

  ASSERT_EQ(refused.code(), errc::throttled);
  EXPECT_THAT(refused.error().message, HasSubstr("instance_memory"));
  EXPECT_THAT(refused.error().message, HasSubstr("function b"));
  EXPECT_EQ(refused.error().limit, 512);
  EXPECT_EQ(refused.error().value, 428);
  EXPECT_GT(refused.error().retry_after.count(), 0);
  EXPECT_EQ(refused.usage().start, start_kind::none);
  EXPECT_EQ(counts_.retired_in_all(), 0) << "not in vain";
  EXPECT_EQ(idle(false).usage().start, start_kind::warm);
  held.get().value();
  EXPECT_EQ(b(false).usage().start, start_kind::cold);
}

TEST_F(budget_test, what_a_function_keeps_is_not_evicted) {
  const auto least = deploy("least", {.memory = 200_MiB, .min_instances = 1});
  deploy("ahead", {.memory = 200_MiB, .provisioned = 1});
  engine_.poll();
  least(false).value();
  const auto f = deploy("f", {.memory = 200_MiB});

  EXPECT_EQ(f(false).code(), errc::throttled);

  EXPECT_EQ(counts_.retired_in_all(), 0);
  EXPECT_EQ(engine_.functions()[2].instances, 0U);
}

TEST_F(budget_test, an_instance_beyond_the_minimum_is_evicted) {
  const auto least = deploy("least", {.memory = 200_MiB, .min_instances = 1});
  auto first = least.async(true);
  least(true).value();
  first.get().value();
  const auto f = deploy("f", {.memory = 200_MiB});

  EXPECT_TRUE(f(false));

  EXPECT_EQ(evicted(0), 1U);
  EXPECT_EQ(least(false).usage().start, start_kind::warm);
}

TEST_F(budget_test, the_last_of_the_minimum_is_safe_once_the_others_have_gone) {
  const auto least =
      deploy("least",
             {.memory = 200_MiB, .keep_alive = seconds(5), .min_instances = 1});
  auto first = least.async(true);
  least(true).value();
  first.get().value();
  engine_.run_for(minutes(1));
  EXPECT_EQ(counts_.alive(), 1);

  EXPECT_EQ(deploy("f", {.memory = 400_MiB})(false).code(), errc::throttled);

  EXPECT_EQ(least(false).usage().start, start_kind::warm);
}

TEST_F(budget_test, provisioned_instances_take_the_room_of_idle_ones) {
  const auto f = deploy("f", {.memory = 300_MiB});
  f(false).value();

  deploy("ahead", {.provisioned = 4});
  engine_.poll();

  EXPECT_EQ(engine_.functions()[1].instances, 4U);
  EXPECT_EQ(evicted(0), 1U);
  EXPECT_EQ(f(false).code(), errc::throttled);
}

TEST_F(budget_test, provisioned_instances_come_once_there_is_room) {
  const auto f = deploy("f", {.memory = 500_MiB});
  auto held = f.async(true);
  engine_.poll();
  deploy("ahead", {.provisioned = 1});
  engine_.poll();
  EXPECT_EQ(engine_.functions()[1].instances, 0U);

  held.get().value();
  engine_.run_for(seconds(2));

  EXPECT_EQ(engine_.functions()[1].instances, 1U);
}

TEST_F(budget_test, what_can_never_fit_is_refused_by_deploy) {
  try {
    deploy("f", {.provisioned = 5});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(), testing::ElementsAre(
                                    "provisioned = 5 instances of 128 MiB: "
                                    "the engine's instance_memory is 512 MiB"));
  }
  EXPECT_THROW(deploy("f", {.memory = 513_MiB}), hotplate::bad_config);
  EXPECT_THROW(hotplate::engine({.instance_memory = 127_MiB}),
               hotplate::bad_config);
  EXPECT_NO_THROW(deploy("f", {.memory = 512_MiB, .provisioned = 1}));
}

TEST_F(budget_test, all_memory_comes_back) {
  const auto f = deploy("f", {.keep_alive = minutes(1), .max_uses = 5});
  const auto never =
      engine_.deploy("never", [](context&) {}, {.keep_alive = milliseconds(0)});
  for (int i = 0; i < 7; ++i) f(false).value();
  never().value();
  auto late = f.async(true);
  engine_.poll();
  late.cancel();
  engine_.run_for(hours(1));

  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(engine_.stats().instance_memory.count, 0U);
}

struct no_start {
  no_start() { throw 1; }
  void operator()(context&) {}
};

TEST_F(budget_test, a_failed_init_gives_its_memory_back) {
  const auto f = engine_.deploy<no_start>("f");

  EXPECT_EQ(f().code(), errc::init_failed);

  EXPECT_EQ(engine_.stats().instance_memory.count, 0U);
}

TEST_F(budget_test, without_a_budget_nothing_is_counted_or_evicted) {
  hotplate::engine free({.workers = 0});
  const auto f = free.deploy<sized_state>("f", {.memory = 10'240_MiB});

  EXPECT_TRUE(f(false));

  EXPECT_EQ(free.stats().instance_memory.count, 0U);
}

/// Ends by waiting: an evictor whose time is over meanwhile must hear so.
struct slow_to_end {
  static inline hotplate::semaphore* gate = nullptr;
  ~slow_to_end() {
    std::array<volatile char, 100'000> deep;  // More than the evictor's stack.
    for (volatile char& each : deep) each = 1;
    if (gate != nullptr) gate->acquire();
  }
  void operator()(context&) {}
};

TEST_F(budget_test, an_evicted_instance_ends_on_a_stack_of_its_own_size) {
  const auto big = engine_.deploy<slow_to_end>("big", {.memory = 512_MiB});
  const auto f = deploy("f", {.stack_bytes = 16 * 1024});
  big().value();

  EXPECT_TRUE(f(false));
}

TEST_F(budget_test, an_end_that_waits_does_not_outlast_a_deadline) {
  hotplate::semaphore gate(engine_, 0);
  slow_to_end::gate = &gate;
  const auto big = engine_.deploy<slow_to_end>("big", {.memory = 512_MiB});
  const auto f = deploy("f", {.timeout = seconds(2)});
  big().value();

  const auto late = f.async(false);
  engine_.run_for(seconds(2) + milliseconds(1));
  EXPECT_TRUE(late.ready());
  EXPECT_EQ(engine_.stats().instance_memory, 512_MiB) << "not ended yet";
  gate.release();
  engine_.poll();

  slow_to_end::gate = nullptr;
  EXPECT_EQ(engine_.stats().in_flight, 0);
  EXPECT_EQ(engine_.stats().instance_memory.count, 0U);
  EXPECT_EQ(counts_.made, 0);
  EXPECT_TRUE(f(false));
}

TEST_F(budget_test, an_eviction_does_not_walk_all_functions) {
  constexpr int many = 4'000;
  hotplate::engine wide({.workers = 0,
                         .instance_memory = hotplate::mebibytes{128 * many},
                         .clock = &clock_});
  const auto lambda = [](context&) {};
  std::vector<hotplate::function<void()>> all;
  for (int i = 0; i <= many + 100; ++i) {
    all.push_back(wide.deploy(fmt::format("f{}", i), lambda,
                              {.keep_alive = hours(24 * 365)}));
  }
  const auto time = [&](int from, int to) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = from; i < to; ++i) {
      all[static_cast<std::size_t>(i)]().value();
    }
    return (std::chrono::steady_clock::now() - start) / (to - from);
  };
  const auto without = time(0, many);

  const auto with = time(many, many + 100);

  EXPECT_EQ(wide.stats().evictions, 100U);
  EXPECT_EQ(all[99]().usage().start, start_kind::cold);
  EXPECT_EQ(all[many - 1]().usage().start, start_kind::warm);
  EXPECT_LT(with, 20 * without) << "a walk would take over 100 times";
}

}  // namespace
