#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "hotplate/send.hpp"
#include "working.hpp"

// Usage of invocations within invocations, by then, and one after the other.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::usage;
using std::chrono::milliseconds;

TEST(usage_of_nested, a_callers_duration_contains_its_callees_init_and_run) {
  bench on;
  const work inner = on.deploy();
  std::optional<usage> of_inner;
  const auto outer = on.engine.deploy("outer", [&](context&) {
    on.clock.advance(milliseconds(4));
    of_inner = inner(10, 5).usage();
    on.clock.advance(milliseconds(3));
  });
  outer().value();

  const usage warm = outer().usage();

  EXPECT_EQ(warm.duration, milliseconds(4 + 15 + 3));
  EXPECT_EQ(warm.running(), milliseconds(4 + 3)) << "its own only";
  EXPECT_EQ(of_inner->duration, milliseconds(15));
  EXPECT_EQ(of_inner->running(), milliseconds(10));
  const usage cold = on.meter.seen[1];
  EXPECT_EQ(cold.duration, milliseconds(4 + 30 + 15 + 3)) << "its first";
  EXPECT_EQ(cold.running(), milliseconds(4 + 3));
}

TEST(usage_of_nested, a_callee_that_waits_for_a_place_is_waited_for) {
  bench on;
  const work inner = on.warm({.max_concurrency = 1, .max_waiting = 1});
  const auto outer =
      on.engine.deploy("outer", [&](context&) { return inner(10, 0).usage(); });
  auto held = inner.async(0, 20);
  on.engine.poll();

  const auto outcome = outer();

  EXPECT_EQ(outcome.value().queued, milliseconds(20));
  EXPECT_EQ(outcome.usage().duration, milliseconds(30));
  EXPECT_EQ(outcome.usage().running(), milliseconds(0));
}

TEST(usage_of_nested, one_that_times_out_has_waited_until_then) {
  bench on;
  const work inner = on.warm();
  const auto outer = on.engine.deploy("outer",
                                      [&](context&) {
                                        on.clock.advance(milliseconds(4));
                                        return inner(10, 100).code();
                                      },
                                      {.timeout = milliseconds(50)});

  const usage late = outer().usage();
  on.engine.run_until_idle();  // Both handlers end before `inner` does.

  EXPECT_EQ(late.status, errc::timed_out);
  EXPECT_EQ(late.duration, milliseconds(50));
  EXPECT_EQ(late.running(), milliseconds(4));
  const usage& of_inner = on.meter.seen.back();
  EXPECT_EQ(of_inner.duration, milliseconds(46)) << "with its caller";
  EXPECT_EQ(of_inner.running(), milliseconds(10));
}

TEST(usage_so_far, is_what_a_handler_has_consumed_by_then) {
  bench on;
  std::vector<usage> so_far;
  struct state {
    state() { worked::clock->advance(milliseconds(30)); }
    void operator()(context& ctx, std::vector<usage>* into) {
      ctx.arena().allocate(1'000);
      worked::clock->advance(milliseconds(10));
      into->push_back(ctx.usage_so_far());
      ctx.sleep_for(milliseconds(5));
      into->push_back(ctx.usage_so_far());
    }
  };
  const auto f = on.engine.deploy<state>("f");

  const usage whole = f(&so_far).usage();

  EXPECT_EQ(so_far[0].init, milliseconds(30));
  EXPECT_EQ(so_far[0].duration, milliseconds(10));
  EXPECT_EQ(so_far[0].suspended, milliseconds(0));
  EXPECT_GE(so_far[0].arena_peak_bytes, 1'000U);
  EXPECT_EQ(so_far[1].duration, milliseconds(15));
  EXPECT_EQ(so_far[1].suspended, milliseconds(5));
  EXPECT_EQ(so_far[1].id, whole.id);
  EXPECT_EQ(so_far[1].billed(), whole.billed());
}

TEST(usage_of_attempts, each_is_an_invocation_of_its_own_number) {
  bench on;
  int calls = 0;
  on.engine.deploy("flaky",
                   [&](context&) {
                     on.clock.advance(milliseconds(++calls));
                     if (calls < 3) throw std::runtime_error("no luck");
                   },
                   {.retry = {.max_attempts = 5}});

  (void)on.engine.send("flaky");
  on.engine.run_until_idle();

  ASSERT_EQ(on.meter.seen.size(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const usage& each = on.meter.seen[i];
    EXPECT_EQ(each.attempt, i + 1);
    EXPECT_EQ(each.trigger, hotplate::trigger::event);
    EXPECT_EQ(each.duration, milliseconds(i + 1));
    EXPECT_EQ(each.status, i < 2 ? errc::function_threw : errc::ok);
  }
}

}  // namespace
