#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "hotplate/suspend.hpp"

namespace {

using hotplate::affinity;
using hotplate::context;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(affinity_rules_test, who_may_move_goes_on_although_his_worker_is_held) {
  std::atomic<pid_t> started_on = 0;
  std::atomic<bool> held = false, let_go = false;
  hotplate::engine engine({.workers = 2});
  hotplate::semaphore wake(engine, 0);
  const auto mover =
      engine.deploy("mover",
                    [&](context&) {
                      started_on = gettid();
                      wake.acquire();
                    },
                    {.timeout = seconds(60), .affinity = affinity::any});
  const auto hog = engine.deploy("hog", [&](context&) {
    if (gettid() != started_on) return;
    held = true;
    while (!let_go) {
    }
  });
  auto waiting = mover.async();
  while (started_on == 0) {
  }
  auto first = hog.async();
  while (!held) hog.async().detach();

  wake.release();

  EXPECT_TRUE(waiting.wait_until(engine.now() + seconds(30)));
  EXPECT_TRUE(held && !let_go);
  let_go = true;
}

TEST(affinity_rules_test, in_invoke_here_nothing_leaves_the_thread) {
  hotplate::engine engine({.workers = 2});
  hotplate::detail::access::core_of(engine).make_restless();
  const hotplate::function_config any{.affinity = affinity::any};
  const auto child = engine.deploy(
      "child",
      [](context& ctx) {
        const pid_t before = gettid();
        for (int i = 0; i < 20; ++i)
          ctx.sleep_for(std::chrono::microseconds(1));
        return gettid() == before;
      },
      any);
  const auto mover = engine.deploy(
      "mover", [&](context&) { return child().value(); }, any);

  EXPECT_TRUE(engine.invoke_here(child).value());
  EXPECT_TRUE(engine.invoke_here(mover).value());
}

TEST(affinity_rules_test, a_blocking_function_that_moves_is_refused) {
  hotplate::engine engine({.workers = 1});

  try {
    engine.deploy("f", [] {}, {.blocking = true, .affinity = affinity::any});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.what(), HasSubstr("affinity = any"));
  }
}

TEST(affinity_rules_test, a_host_pumped_engine_has_one_place_to_go_on) {
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto mover = engine.deploy("mover",
                                   [](context& ctx) {
                                     ctx.yield();
                                     ctx.sleep_for(seconds(1));
                                   },
                                   {.affinity = affinity::any});

  EXPECT_EQ(mover().usage().suspended, seconds(1));
}

}  // namespace
