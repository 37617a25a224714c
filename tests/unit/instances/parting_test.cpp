#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "counted.hpp"
#include "hotplate/suspend.hpp"

// An instance that ends after its invocation ends behind its caller's back.

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using hotplate::function_config;
using hotplate::retire_reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace hotplate::literals;

/// Does not end before it may; runs out of memory on request.
struct reluctant : counted<reluctant> {
  static inline std::atomic<bool> may_end = false;
  ~reluctant() {
    while (!may_end) std::this_thread::yield();
  }
  int operator()(context& ctx, int work) {
    if (work < 0) ctx.arena().allocate(1 << 30);
    return work;
  }
};

class parting_test : public testing::Test {
 protected:
  parting_test() {
    reluctant::counts = &counts_;
    reluctant::may_end = false;
  }
  ~parting_test() override { reluctant::may_end = true; }

  void let_it_end(engine& on) {
    reluctant::may_end = true;
    EXPECT_TRUE(eventually(on, [&] { return counts_.alive() == 0; }));
  }

  instance_counts counts_;
};

/// What makes an invocation its instance's last.
struct last_use {
  function_config config;
  int work = 1;
  retire_reason why;
};

class last_use_test : public parting_test,
                      public testing::WithParamInterface<last_use> {};

TEST_P(last_use_test, a_thread_that_called_does_not_wait_for_the_end) {
  engine on({.workers = 1});
  const auto f = on.deploy<reluctant>("f", GetParam().config);

  EXPECT_EQ(f(GetParam().work).has_value(), GetParam().work > 0);

  EXPECT_EQ(counts_.alive(), 1) << "it is still ending";
  EXPECT_EQ(on.stats().in_flight, 0);
  let_it_end(on);
  EXPECT_EQ(counts_.retired_for(GetParam().why), 1);
}

TEST_P(last_use_test, nor_does_a_handler_that_called) {
  engine on({.workers = 1});
  const auto f = on.deploy<reluctant>("f", GetParam().config);
  const auto caller = on.deploy(
      "caller", [&](context&) { return f(GetParam().work).has_value(); });

  EXPECT_EQ(caller().value(), GetParam().work > 0);

  let_it_end(on);
  EXPECT_EQ(counts_.retired_for(GetParam().why), 1);
}

INSTANTIATE_TEST_SUITE_P(
    reasons, last_use_test,
    testing::Values(
        last_use{{.keep_alive = seconds(0)}, 1, retire_reason::expired},
        last_use{{.max_uses = 1}, 1, retire_reason::used_up},
        last_use{{}, -1, retire_reason::failed},
        last_use{{.max_uses = 1, .instance_concurrency = 2},
                 1,
                 retire_reason::used_up}));

// Whoever holds the only worker lets nobody end there; it is done for him then.
TEST_F(parting_test, what_is_to_end_does_not_pile_up) {
  reluctant::may_end = true;
  engine on({.workers = 1});
  const auto f = on.deploy<reluctant>("f", {.max_uses = 1});
  int most = 0;
  const auto caller = on.deploy("caller", [&](context&) {
    for (int i = 0; i < 1'000; ++i) {
      f(1).value();
      most = std::max(most, counts_.alive());
    }
  });

  caller().value();

  EXPECT_GT(most, 1) << "it was worth a look";
  EXPECT_LE(most, 20);
  let_it_end(on);
}

TEST_F(parting_test, the_next_invocation_waits_for_the_room) {
  reluctant::may_end = true;
  // For one of these, and one that calls them.
  engine on({.workers = 1, .instance_memory = 256_MiB});
  const auto f = on.deploy<reluctant>("f", {.max_uses = 1});
  const auto g = on.deploy<reluctant>("g", {.max_instances = 1, .max_uses = 1});
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(f(i).value(), i) << "never throttled";
    ASSERT_EQ(g(i).value(), i);
  }
  int served = 0;
  const auto caller = on.deploy("caller", [&](context&) {
    for (int i = 0; i < 200; ++i) {
      if (f(i)) ++served;
      if (g(i)) ++served;
    }
  });
  caller().value();
  EXPECT_EQ(served, 400);
}

TEST_F(parting_test, who_waits_for_room_does_so_until_its_deadline) {
  engine on({.workers = 2});
  const auto f = on.deploy<reluctant>(
      "f", {.timeout = milliseconds(20), .max_instances = 1, .max_uses = 1});
  EXPECT_EQ(f(1).value(), 1);

  const auto late = f(1);

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(late.usage().reached, hotplate::stage::queue);
  EXPECT_EQ(late.usage().suspended.count(), 0);
  EXPECT_EQ(counts_.made, 1) << "max_instances";
  reluctant::may_end = true;
  EXPECT_TRUE(eventually(on, [&] { return f(2).has_value(); }));
}

TEST_F(parting_test, who_waits_for_room_can_be_cancelled) {
  engine on({.workers = 2});
  const auto f = on.deploy<reluctant>("f", {.max_instances = 1, .max_uses = 1});
  EXPECT_EQ(f(1).value(), 1);
  auto waiting = f.async(1);
  ASSERT_FALSE(waiting.wait_until(on.now() + milliseconds(5)));

  waiting.cancel();

  EXPECT_EQ(waiting.get().code(), errc::cancelled);
  reluctant::may_end = true;
  EXPECT_EQ(f(3).value(), 3);
}

TEST(instance_ends_test, one_that_began_and_is_over_since_was_ending) {
  int told = 0;
  hotplate::detail::instance_ends ends(
      [](void* count) noexcept { ++*static_cast<int*>(count); }, &told, true);
  ends.begin();
  ends.finish(1);
  EXPECT_EQ(told, 0) << "nobody waits";
  const hotplate::detail::instance_ends::wait waiting(ends);
  const auto before = ends.now();
  EXPECT_FALSE(ends.any_since(before));
  EXPECT_FALSE(ends.told_since(before));

  ends.begin();
  const bool while_ending = ends.any_since(before);
  ends.finish(1);

  EXPECT_TRUE(while_ending);
  EXPECT_TRUE(ends.any_since(before)) << "who looked before looks again";
  EXPECT_TRUE(ends.told_since(before));
  EXPECT_EQ(told, 1);
}

/// Takes long to be destroyed, by whoever has it last.
struct lingering {
  bool moved = false;
  lingering() = default;
  lingering(lingering&& other) noexcept { other.moved = true; }
  ~lingering() {
    if (!moved) std::this_thread::sleep_for(milliseconds(100));
  }
};

TEST(parting, an_argument_s_end_is_within_the_deadline) {
  engine on({.workers = 1});
  const auto f = on.deploy("f", [](context&, lingering) { return 1; },
                           {.timeout = milliseconds(10)});

  const auto late = f(lingering());

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_LT(late.usage().duration, milliseconds(60));
}

struct slow_meter final : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation&) noexcept override {
    std::this_thread::sleep_for(milliseconds(20));
    ++told;
  }
  std::atomic<int> told = 0;
};

// Who settles it may be slower than its handler, which ends meanwhile.
TEST(parting, who_sees_nothing_in_flight_finds_all_metered) {
  slow_meter meter;
  engine on({.workers = 1, .meters = {&meter}});
  const auto spin = on.deploy("spin",
                              [](context& ctx) {
                                while (!ctx.cancelled()) {
                                }
                              },
                              {.timeout = milliseconds(2)});

  for (int i = 1; i <= 3; ++i) {
    spin.async().detach();
    ASSERT_TRUE(eventually(on, [&] { return on.stats().in_flight == 0; }));
    EXPECT_EQ(meter.told, i);
  }
}

}  // namespace
