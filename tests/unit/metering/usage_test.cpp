#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "working.hpp"

// What usage says of an invocation that ends in any of the ways in which one
// can, exact to the nanosecond.

namespace {

using hotplate::errc;
using hotplate::stage;
using hotplate::start_kind;
using hotplate::usage;
using std::chrono::milliseconds;

/// In milliseconds.
struct expected {
  start_kind start = start_kind::warm;
  errc status = errc::ok;
  stage reached = stage::handler;
  int queued = 0, init = 0, duration = 0, suspended = 0;
};

struct way {
  const char* name;
  expected wanted;
  std::function<usage(bench&)> go;
};

class usage_test : public testing::TestWithParam<way> {};

TEST_P(usage_test, is_exact) {
  bench on;
  const expected& wanted = GetParam().wanted;

  const usage used = GetParam().go(on);

  EXPECT_EQ(to_string(used.start), to_string(wanted.start));
  EXPECT_EQ(to_string(used.status), to_string(wanted.status));
  EXPECT_EQ(to_string(used.reached), to_string(wanted.reached));
  EXPECT_EQ(used.queued, milliseconds(wanted.queued));
  EXPECT_EQ(used.init, milliseconds(wanted.init));
  EXPECT_EQ(used.duration, milliseconds(wanted.duration));
  EXPECT_EQ(used.suspended, milliseconds(wanted.suspended));
  EXPECT_EQ(used.running(), milliseconds(wanted.duration - wanted.suspended));
  EXPECT_EQ(used.billed(), milliseconds(wanted.init + wanted.duration));
}

TEST_P(usage_test, is_told_once_and_as_the_outcome_has_it) {
  bench on;

  const usage used = GetParam().go(on);
  on.engine.run_until_idle();

  int times = 0;
  for (const usage& each : on.meter.seen) {
    if (each.id != used.id) continue;
    ++times;
    EXPECT_EQ(each.status, used.status);
    EXPECT_EQ(each.queued, used.queued);
    EXPECT_EQ(each.init, used.init);
    EXPECT_EQ(each.duration, used.duration);
    EXPECT_EQ(each.suspended, used.suspended);
  }
  EXPECT_EQ(times, 1);
}

std::vector<way> good_ends() {
  return {
      {"cold",
       {.start = start_kind::cold, .init = 30, .duration = 15, .suspended = 5},
       [](bench& on) { return on.deploy()(10, 5).usage(); }},
      {"warm",
       {.duration = 15, .suspended = 5},
       [](bench& on) { return on.warm()(10, 5).usage(); }},
      {"provisioned",
       {.start = start_kind::provisioned, .duration = 10},
       [](bench& on) {
         const work f = on.deploy({.provisioned = 1});
         on.engine.poll();
         return f(10, 0).usage();
       }},
      {"provisioned_used_again",
       {.start = start_kind::provisioned_warm, .duration = 10},
       [](bench& on) {
         const work f = on.deploy({.provisioned = 1});
         on.engine.poll();
         f(1, 0).value();
         return f(10, 0).usage();
       }},
      {"restored",
       {.start = start_kind::restored, .init = 2, .duration = 7},
       [](bench& on) {
         const work f = on.warm({.snapshot = true});
         auto held = f.async(0, 50);
         on.engine.poll();
         return f(7, 0).usage();
       }},
      {"queued",
       {.queued = 7, .duration = 10},
       [](bench& on) {
         auto later = on.warm().async(10, 0);
         on.clock.advance(milliseconds(7));
         return later.get().usage();
       }},
      {"waited_for_a_place",
       {.queued = 25, .duration = 10},
       [](bench& on) {
         const work f = on.warm({.max_concurrency = 1, .max_waiting = 1});
         auto first = f.async(5, 20);
         return f.async(10, 0).get().usage();
       }},
  };
}

std::vector<way> bad_ends() {
  return {
      {"threw",
       {.status = errc::function_threw, .duration = 10},
       [](bench& on) { return on.warm()(10, -1).usage(); }},
      {"not_found",
       {.start = start_kind::none,
        .status = errc::not_found,
        .reached = stage::arrival},
       [](bench& on) { return on.engine.invoke("nobody").usage(); }},
      {"throttled_by_the_function",
       {.start = start_kind::none,
        .status = errc::throttled,
        .reached = stage::admission},
       [](bench& on) {
         const work f = on.warm({.max_concurrency = 1});
         auto held = f.async(0, 50);
         return f(1, 0).usage();
       }},
      {"throttled_by_the_engine",
       {.start = start_kind::none,
        .status = errc::throttled,
        .reached = stage::admission},
       [](bench& on) {
         const work f = on.warm();
         std::vector<hotplate::pending<void>> held;
         for (int i = 0; i < 4; ++i) held.push_back(f.async(0, 50));
         return f(1, 0).usage();
       }},
      {"throttled_by_the_tenant",
       {.start = start_kind::none,
        .status = errc::throttled,
        .reached = stage::admission},
       [](bench& on) {
         const work f = on.warm().with({.tenant = "acme"});
         auto held = f.async(0, 50);
         return f(1, 0).usage();
       }},
      {"throttled_for_want_of_an_instance",
       {.start = start_kind::none,
        .status = errc::throttled,
        .reached = stage::queue},
       [](bench& on) {
         const work f = on.warm({.max_instances = 1});
         auto held = f.async(0, 50);
         on.engine.poll();
         return f(1, 0).usage();
       }},
      {"timed_out_at_admission",
       {.start = start_kind::none,
        .status = errc::timed_out,
        .reached = stage::admission,
        .queued = 40},
       [](bench& on) {
         const work f = on.warm({.timeout = milliseconds(40),
                                 .max_concurrency = 1,
                                 .max_waiting = 2});
         auto first = f.async(0, 30);
         auto second = f.async(0, 30);
         return f.async(0, 0).get().usage();
       }},
      {"timed_out_in_the_queue",
       {.start = start_kind::none,
        .status = errc::timed_out,
        .reached = stage::queue,
        .queued = 41},
       [](bench& on) {
         auto late = on.warm({.timeout = milliseconds(40)}).async(0, 0);
         on.clock.advance(milliseconds(41));
         return late.get().usage();
       }},
      {"timed_out_in_init",
       {.start = start_kind::cold,
        .status = errc::timed_out,
        .reached = stage::init,
        .init = 30},
       [](bench& on) {
         const work f = on.deploy();
         return f.with({.deadline = on.engine.now() + milliseconds(20)})(0, 0)
             .usage();
       }},
      {"timed_out_in_the_handler",
       {.status = errc::timed_out, .duration = 40, .suspended = 35},
       [](bench& on) {
         return on.warm({.timeout = milliseconds(40)})(5, 100).usage();
       }},
      {"cancelled_at_admission",
       {.start = start_kind::none,
        .status = errc::cancelled,
        .reached = stage::admission,
        .queued = 10},
       [](bench& on) {
         const work f = on.warm({.max_concurrency = 1, .max_waiting = 1});
         auto first = f.async(0, 30);
         auto waiting = f.async(0, 0);
         on.engine.run_for(milliseconds(10));
         waiting.cancel();
         return waiting.get().usage();
       }},
      {"cancelled_in_the_queue",
       {.start = start_kind::none,
        .status = errc::cancelled,
        .reached = stage::queue,
        .queued = 10},
       [](bench& on) {
         auto queued = on.warm().async(0, 0);
         on.clock.advance(milliseconds(10));
         queued.cancel();
         return queued.get().usage();
       }},
      {"cancelled_in_init",
       {.start = start_kind::cold,
        .status = errc::cancelled,
        .reached = stage::init,
        .init = 30},
       [](bench& on) {
         auto starting = on.deploy().async(0, 0);
         worked::meanwhile = [&] { starting.cancel(); };
         on.engine.poll();
         return starting.get().usage();
       }},
      {"cancelled_in_the_handler",
       {.status = errc::cancelled, .duration = 15, .suspended = 10},
       [](bench& on) {
         auto running = on.warm().async(5, 100);
         on.engine.run_for(milliseconds(15));
         running.cancel();
         return running.get().usage();
       }},
  };
}

const auto name_of = [](const testing::TestParamInfo<way>& info) {
  return info.param.name;
};
INSTANTIATE_TEST_SUITE_P(good, usage_test, testing::ValuesIn(good_ends()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(bad, usage_test, testing::ValuesIn(bad_ends()),
                         name_of);

}  // namespace
