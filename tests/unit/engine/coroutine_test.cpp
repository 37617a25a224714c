#include "hotplate/coroutine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <exception>
#include <future>
#include <string>
#include <vector>

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::pending;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;

/// Anybody's coroutine: starts at once, ends by itself.
struct started {
  struct promise_type {
    started get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

/// One that belongs to an object, which destroys it wherever it is suspended.
struct owned {
  struct promise_type {
    owned get_return_object() {
      return {std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  std::coroutine_handle<promise_type> handle;
};

class coroutine_test : public testing::TestWithParam<int> {
 protected:
  /// Waits for the coroutine that sets it, and pumps where that is needed.
  int wait_for(std::promise<int>& of) {
    std::future<int> result = of.get_future();
    while (result.wait_for(seconds(0)) != std::future_status::ready) {
      if (GetParam() == 0) {
        engine_.run_until_idle();
      } else {
        std::this_thread::yield();
      }
    }
    return result.get();
  }

  hotplate::engine engine_{{.workers = GetParam()}};
  hotplate::function<int(int)> nap_ =
      engine_.deploy("nap", [](context& ctx, int ms) {
        if (ms > 0) ctx.sleep_for(milliseconds(ms));
        return ms;
      });
  std::promise<int> result_;
};

TEST_P(coroutine_test, awaits_one_after_another) {
  const auto run = [this]() -> started {
    int sum = (co_await nap_.async(1)).value();
    auto kept = nap_.async(2);
    sum += (co_await kept).value();
    sum += static_cast<int>(
        (co_await engine_.invoke_async("nap", "3")).value().size());
    result_.set_value(sum);
  };

  run();

  EXPECT_EQ(wait_for(result_), 4);
}

TEST_P(coroutine_test, goes_on_at_once_if_there_is_nothing_to_wait_for) {
  auto settled = nap_.async(0);
  settled.wait_until(hotplate::no_deadline);
  std::thread::id its;
  const auto run = [&]() -> started {
    (void)co_await settled;
    its = std::this_thread::get_id();
  };

  run();

  EXPECT_EQ(its, std::this_thread::get_id());
}

TEST_P(coroutine_test, may_wait_on_its_fiber_once_it_is_resumed) {
  const auto run = [this]() -> started {
    const int first = (co_await nap_.async(1)).value();
    result_.set_value(first + nap_(2).value());
  };

  run();

  EXPECT_EQ(wait_for(result_), 3);
}

TEST_P(coroutine_test, awaits_all) {
  const auto run = [this]() -> started {
    auto [a, b] = co_await when_all(nap_.async(3), nap_.async(1));
    std::vector<pending<int>> more;
    for (const int ms : {0, 2, 1}) more.push_back(nap_.async(ms));
    int sum = 0;
    for (auto& each : co_await hotplate::when_all(more)) sum += each.value();
    result_.set_value(a.value() * 100 + b.value() * 10 + sum);
  };

  run();

  EXPECT_EQ(wait_for(result_), 313);
}

TEST_P(coroutine_test, awaits_any_and_keeps_the_others) {
  const auto run = [this]() -> started {
    auto slow = nap_.async(300);
    auto fast = nap_.async(1);
    const std::size_t first = co_await when_any(slow, fast);
    const int value = (co_await fast).value();
    slow.cancel();
    EXPECT_EQ((co_await slow).code(), errc::cancelled);
    result_.set_value(static_cast<int>(first) * 10 + value);
  };

  run();

  EXPECT_EQ(wait_for(result_), 11);
}

TEST_P(coroutine_test, is_resumed_where_an_executor_says) {
  std::promise<hotplate::continuation> handed;
  std::thread::id its;
  const auto run = [&]() -> started {
    const auto executor = [&](hotplate::continuation next) {
      handed.set_value(std::move(next));
    };
    const int value =
        (co_await hotplate::resume_on(executor, nap_.async(2))).value();
    its = std::this_thread::get_id();
    result_.set_value(value);
  };

  run();
  if (GetParam() == 0) engine_.run_until_idle();
  handed.get_future().get()();

  EXPECT_EQ(wait_for(result_), 2);
  EXPECT_EQ(its, std::this_thread::get_id());
}

TEST_P(coroutine_test, a_destroyed_one_is_never_resumed) {
  std::atomic<bool> resumed = false;
  const auto one = [&]() -> owned {
    (void)co_await nap_.async(200);
    resumed = true;
  };
  const auto several = [&]() -> owned {
    auto a = nap_.async(200), b = nap_.async(201);
    co_await when_any(a, b);
    resumed = true;
  };

  one().handle.destroy();
  several().handle.destroy();

  EXPECT_EQ(engine_.stats().in_flight, 3) << "they go on";
  EXPECT_TRUE(engine_.drain(seconds(10)).running.empty());
  EXPECT_EQ(engine_.functions()[0].count(errc::ok), 3U) << "and are metered";
  EXPECT_FALSE(resumed);
}

TEST_P(coroutine_test, the_end_of_the_engine_is_an_outcome) {
  std::atomic<errc> seen = errc::ok;
  {
    hotplate::engine engine({.workers = GetParam()});
    const auto sleep = engine.deploy(
        "sleep", [](context& ctx) { ctx.sleep_for(seconds(100)); },
        {.timeout = seconds(200)});
    const auto run = [](const hotplate::function<void()>& function,
                        std::atomic<errc>& code) -> started {
      code = (co_await function.async()).code();
    };
    run(sleep, seen);
  }

  EXPECT_EQ(seen, errc::draining);
}

INSTANTIATE_TEST_SUITE_P(workers, coroutine_test, testing::Values(0, 1, 2, 4));

// Host-pumped, so that settling and resuming are apart.
TEST(coroutine_pump_test, is_taken_off_even_between_settling_and_resuming) {
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto nap = engine.deploy(
      "nap", [](context& ctx) { ctx.sleep_for(milliseconds(5)); });
  bool resumed = false;
  auto awaited = nap.async();
  const auto run = [&]() -> owned {
    (void)co_await awaited;
    resumed = true;
  };
  const owned suspended = run();
  awaited.cancel();
  EXPECT_FALSE(resumed) << "never on the stack that settles";

  suspended.handle.destroy();
  engine.run_until_idle();

  EXPECT_FALSE(resumed);
}

TEST(coroutine_pump_test, the_same_coroutines_come_in_the_same_order) {
  hotplate::manual_clock clock;
  std::vector<int> log;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto nap = engine.deploy(
      "nap", [](context& ctx, int ms) { ctx.sleep_for(milliseconds(ms)); });
  const auto run = [&](int n, int ms) -> started {
    (void)co_await nap.async(ms);
    log.push_back(n);
    (void)co_await nap.async(10);
    log.push_back(-n);
  };
  run(1, 20);
  run(2, 5);
  run(3, 20);

  engine.run_until_idle();

  EXPECT_THAT(log, ElementsAre(2, -2, 1, 3, -1, -3));
}

}  // namespace
