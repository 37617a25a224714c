#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <latch>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::start_kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

class invoke_here_test : public testing::Test {
 protected:
  hotplate::engine engine_{{.workers = 2}};
};

TEST_F(invoke_here_test, runs_on_the_calling_thread_and_its_stack) {
  const auto frame = [] {
    return reinterpret_cast<char*>(__builtin_frame_address(0));
  };
  char* its_frame = nullptr;
  const auto where = engine_.deploy("where", [&](context&) {
    its_frame = frame();
    return gettid();
  });

  EXPECT_EQ(engine_.invoke_here(where).value(), gettid());
  EXPECT_LT(std::abs(its_frame - frame()), 1 << 16);

  EXPECT_NE(where().value(), gettid());
  EXPECT_GT(std::abs(its_frame - frame()), 1 << 16);
}

TEST_F(invoke_here_test, has_instances_usage_and_errors_like_any_other) {
  const auto check = engine_.deploy("check", [](context&, int x) {
    if (x < 0) throw std::runtime_error("negative");
    return x;
  });
  const auto cold = engine_.invoke_here(check, 1);
  const auto warm = engine_.invoke_here(check, 2);
  const auto thrown = engine_.invoke_here(check, -1);

  EXPECT_EQ(cold.usage().start, start_kind::cold);
  EXPECT_EQ(warm.usage().start, start_kind::warm);
  EXPECT_EQ(warm.value(), 2);
  EXPECT_EQ(thrown.code(), errc::function_threw);
  EXPECT_EQ(engine_.functions()[0].invocations(), 3U);
  EXPECT_EQ(engine_.stats().in_flight, 0);
}

TEST_F(invoke_here_test, by_name_with_an_event_that_is_not_copied) {
  const std::string event(100'000, 'x');
  const void* seen = nullptr;
  (void)engine_.deploy("size", [&](context& ctx, std::string_view text) {
    seen = text.data();
    EXPECT_LT(ctx.arena().used(), text.size());
    return text.size();
  });
  EXPECT_EQ(engine_.invoke_here("size", event).value().text(), "100000");
  EXPECT_EQ(engine_.invoke_here("none").code(), errc::not_found);
}

TEST_F(invoke_here_test, views_are_borrowed) {
  const std::string text(1'000, 'x');
  const auto same =
      engine_.deploy("same", [&](context&, std::string_view seen) {
        return seen.data() == text.data();
      });
  EXPECT_TRUE(engine_.invoke_here(same, text).value());
  EXPECT_FALSE(same(text).value());
}

TEST_F(invoke_here_test, the_thread_waits_where_the_handler_suspends) {
  hotplate::semaphore gate(engine_, 0);
  const auto inner = engine_.deploy("inner", [](context& ctx, int x) {
    ctx.sleep_for(milliseconds(5));
    return x + 1;
  });
  const auto open = engine_.deploy("open", [&](context&) { gate.release(); });
  const auto outer = engine_.deploy("outer", [&](context& ctx) {
    const auto before = gettid();
    int sum = inner(1).value();           // on a fiber of this thread
    sum += inner.async(2).get().value();  // on a worker
    sum += std::stoi(std::string(ctx.invoke("inner", "3").value().text()));
    ctx.sleep_for(milliseconds(5));
    ctx.yield();
    (void)open.async();
    gate.acquire();
    EXPECT_EQ(before, gettid());
    return sum;
  });
  const auto answer = engine_.invoke_here(outer);
  EXPECT_EQ(answer.value(), 2 + 3 + 4);
  EXPECT_GE(answer.usage().suspended, milliseconds(10));
}

TEST_F(invoke_here_test, its_deadline_is_met_at_suspension_points) {
  const auto nap = engine_.deploy("nap",
                                  [](context& ctx) {
                                    while (!ctx.cancelled()) {
                                    }
                                    ctx.sleep_for(seconds(100));
                                  },
                                  {.timeout = milliseconds(30)});
  EXPECT_EQ(engine_.invoke_here(nap).code(), errc::timed_out);
  const auto sleep =
      engine_.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(100)); },
                     {.timeout = milliseconds(30)});
  EXPECT_EQ(engine_.invoke_here(sleep).code(), errc::timed_out);
  EXPECT_TRUE(becomes_true([&] { return engine_.stats().in_flight == 0; }));
}

TEST_F(invoke_here_test, what_it_left_behind_ends_before_it_returns) {
  std::atomic<bool> unwound = false;
  const auto straggler = engine_.deploy("straggler",
                                        [&](context& ctx) {
                                          struct on_exit {
                                            std::atomic<bool>& flag;
                                            ~on_exit() { flag = true; }
                                          } guard{unwound};
                                          ctx.sleep_for(seconds(100));
                                        },
                                        {.timeout = milliseconds(20)});
  const auto outer = engine_.deploy(
      "outer", [&](context&) { return straggler().code() == errc::timed_out; });

  EXPECT_TRUE(engine_.invoke_here(outer).value());
  EXPECT_TRUE(unwound);
}

TEST_F(invoke_here_test, from_a_handler_it_is_a_nested_call) {
  const auto inner = engine_.deploy("inner", [](context&) { return gettid(); });
  const auto outer = engine_.deploy("outer", [&](context&) {
    return engine_.invoke_here(inner).value() == gettid();
  });
  EXPECT_TRUE(outer().value());
}

TEST_F(invoke_here_test, limits_hold_and_whoever_waits_runs_on_a_worker) {
  hotplate::semaphore gate(engine_, 0);
  const auto one = engine_.deploy("one", [&](context&) { gate.acquire(); },
                                  {.max_concurrency = 1});
  auto first = one.async();
  ASSERT_TRUE(becomes_true([&] { return engine_.stats().in_flight == 1; }));
  EXPECT_EQ(engine_.invoke_here(one).code(), errc::throttled);
  gate.release();
  EXPECT_TRUE(first.get());
}

TEST(guest_places_test, one_thread_too_many_is_refused_with_the_limit) {
  std::latch leave(1);
  std::latch inside(1);
  hotplate::engine engine({.workers = 1, .max_guest_threads = 1});
  const auto wait = engine.deploy("wait", [&](context&, bool stay) {
    if (!stay) return;
    inside.count_down();
    leave.wait();
  });
  std::thread other([&] { EXPECT_TRUE(engine.invoke_here(wait, true)); });
  inside.wait();

  const auto refused = engine.invoke_here(wait, false);
  leave.count_down();
  other.join();

  EXPECT_EQ(refused.code(), errc::resource_exhausted);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("max_guest_threads"));
  EXPECT_EQ(refused.error().limit, 1);
  EXPECT_TRUE(engine.invoke_here(wait, false));
  EXPECT_EQ(engine.stats().in_flight, 0);
}

TEST(guest_places_test, a_thread_that_has_left_keeps_no_place) {
  hotplate::engine engine({.workers = 1, .max_guest_threads = 1});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  const auto call = [&] { return engine.invoke_here(one).value(); };

  EXPECT_EQ(call(), 1);
  int other = 0;
  std::thread([&] { other = call(); }).join();

  EXPECT_EQ(other, 1);
  EXPECT_EQ(call(), 1);
}

TEST(guest_places_test, who_waits_for_a_place_of_the_function_has_none) {
  hotplate::engine engine({.workers = 1, .max_guest_threads = 1});
  hotplate::semaphore gate(engine, 0);
  const auto held = engine.deploy("held", [&](context&) { gate.acquire(); },
                                  {.max_concurrency = 1, .max_waiting = 1});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  auto first = held.async();
  ASSERT_TRUE(becomes_true([&] { return engine.stats().in_flight == 1; }));
  std::thread waits([&] {
    const auto answer = engine.invoke_here(held);
    EXPECT_TRUE(answer) << answer.error().message;
  });
  EXPECT_TRUE(becomes_true([&] { return engine.stats().waiting == 1; }));

  EXPECT_EQ(engine.invoke_here(one).value(), 1);

  gate.release();
  gate.release();
  waits.join();
  EXPECT_TRUE(first.get());
}

// What it ran there before must not be taken for its own.
TEST(guest_places_test, a_thread_outlives_engines_and_they_outlive_threads) {
  for (int i = 0; i < 3; ++i) {
    hotplate::engine engine({.workers = 1});
    const auto same = engine.deploy("same", [](context&, int x) { return x; });
    EXPECT_EQ(engine.invoke_here(same, i).value(), i);
    std::thread([&] {
      EXPECT_EQ(engine.invoke_here(same, -i).value(), -i);
    }).join();
    EXPECT_EQ(engine.invoke_here(same, i).usage().start, start_kind::warm);
  }
}

TEST(guest_places_test, many_threads_at_once_all_get_their_answers) {
  hotplate::engine engine({.workers = 2});
  const auto inner = engine.deploy("inner", [](context& ctx, int x) {
    ctx.yield();
    return x;
  });
  const auto twice = engine.deploy(
      "twice", [&](context&, int x) { return 2 * inner(x).value(); });
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        EXPECT_EQ(engine.invoke_here(twice, t + i).value(), 2 * (t + i));
      }
    });
  }
  for (auto& each : threads) each.join();
  EXPECT_EQ(engine.functions()[1].count(errc::ok), 4'000U);
}

TEST(guest_places_test, a_pumped_engine_runs_it_as_it_runs_all) {
  hotplate::engine engine({.workers = 0});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  EXPECT_EQ(engine.invoke_here(one).value(), 1);
}

TEST_F(invoke_here_test, who_came_first_does_not_say_how_later_calls_round) {
  const auto child =
      engine_.deploy("child", [](context&) { return std::fegetround(); });
  const auto parent =
      engine_.deploy("parent", [&](context&) { return child().value(); });

  std::thread([&] {
    std::fesetround(FE_UPWARD);
    EXPECT_EQ(engine_.invoke_here(parent).value(), FE_TONEAREST);
    EXPECT_EQ(engine_.invoke_here(child).value(), FE_UPWARD);
  }).join();
  EXPECT_EQ(engine_.invoke_here(parent).value(), FE_TONEAREST);
  EXPECT_EQ(engine_.invoke_here(child).value(), FE_TONEAREST);
}

}  // namespace
