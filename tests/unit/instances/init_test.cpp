#include <gtest/gtest.h>

#include <atomic>

#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::start_kind;
using std::chrono::seconds;

class init_test : public testing::Test {
 protected:
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

struct suspended_init {
  static inline hotplate::semaphore* gate = nullptr;
  static inline std::atomic<int> made = 0;
  suspended_init() {
    if (gate != nullptr) gate->acquire();
    ++made;
  }
  void operator()(context&) {}
};

TEST_F(init_test, nobody_joins_an_instance_before_its_init_has_ended) {
  hotplate::semaphore gate(engine_, 0);
  suspended_init::gate = &gate;
  suspended_init::made = 0;
  const auto f =
      engine_.deploy<suspended_init>("g", {.instance_concurrency = 5});
  auto first = f.async();
  auto second = f.async();
  engine_.poll();
  EXPECT_FALSE(second.ready());

  gate.release();
  gate.release();

  EXPECT_EQ(first.get().usage().start, start_kind::cold);
  EXPECT_EQ(second.get().usage().start, start_kind::cold);
  EXPECT_EQ(suspended_init::made, 2);
  suspended_init::gate = nullptr;
}

TEST_F(init_test, an_init_that_suspends_has_ten_seconds_as_well) {
  hotplate::semaphore gate(engine_, 0);
  suspended_init::gate = &gate;
  const auto f = engine_.deploy<suspended_init>(
      "g", {.timeout = seconds(60), .instance_concurrency = 5});

  const auto late = f();

  EXPECT_EQ(late.code(), errc::timed_out);
  EXPECT_EQ(late.usage().init, seconds(10));
  EXPECT_EQ(late.usage().reached, hotplate::stage::init);
  engine_.poll();
  EXPECT_EQ(engine_.functions()[0].instances, 0U);
  const auto sooner = f.with({.deadline = engine_.now() + seconds(3)})();
  EXPECT_EQ(sooner.code(), errc::timed_out) << "the caller's nearer deadline";
  EXPECT_EQ(sooner.usage().init, seconds(3));
  engine_.poll();
  suspended_init::gate = nullptr;
}

}  // namespace
