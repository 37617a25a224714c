#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "hotplate/channel.hpp"
#include "hotplate/suspend.hpp"

// Handlers that may go on on another thread; here they do so each time.

namespace {

using hotplate::affinity;
using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What belongs to a thread, asked for as handlers that move have to.
[[gnu::noinline]] int* errno_here() {
  asm volatile("" ::: "memory");
  return &errno;
}
[[gnu::noinline]] int* local_here() {
  static thread_local int local = 0;
  asm volatile("" ::: "memory");
  return &local;
}
[[gnu::noinline]] pthread_t self_here() {
  asm volatile("" ::: "memory");
  return pthread_self();
}
[[gnu::noinline]] pid_t thread_here() { return gettid(); }

class affinity_test : public testing::TestWithParam<int> {
 protected:
  affinity_test() {
    hotplate::detail::access::core_of(engine_).make_restless();
  }

  template <typename Handler>
  auto deploy_any(const char* name, Handler handler) {
    return engine_.deploy(name, std::move(handler),
                          {.timeout = seconds(60), .affinity = affinity::any});
  }

  // Whether `suspend` in a handler that moves comes back on another thread, as
  // often as it did not return at once.
  bool moves_in(const std::function<void(context&)>& suspend) {
    const auto mover = deploy_any("mover", [&](context& ctx) {
      for (int suspended = 0; suspended < 20;) {
        const auto time = ctx.usage_so_far().suspended;
        const pid_t before = thread_here();
        suspend(ctx);
        if (ctx.usage_so_far().suspended == time) continue;
        if (thread_here() == before) return false;
        ++suspended;
      }
      return true;
    });
    return mover().value();
  }

  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(affinity_test, yielding_moves) {
  EXPECT_TRUE(moves_in([](context& ctx) { ctx.yield(); }));
  EXPECT_TRUE(moves_in([&](context&) { hotplate::yield(engine_); }));
}

TEST_P(affinity_test, sleeping_moves) {
  EXPECT_TRUE(moves_in(
      [](context& ctx) { ctx.sleep_for(std::chrono::microseconds(1)); }));
  EXPECT_TRUE(moves_in([&](context&) {
    hotplate::sleep_for(engine_, std::chrono::microseconds(1));
  }));
}

TEST_P(affinity_test, waiting_for_an_invocation_moves) {
  const auto child = engine_.deploy(
      "child", [](context& ctx) { ctx.sleep_for(milliseconds(1)); });

  EXPECT_TRUE(moves_in([&](context&) { child.async().get().value(); }));
  EXPECT_TRUE(moves_in([&](context&) {
    auto started = child.async();
    EXPECT_TRUE(started.wait_until(engine_.now() + seconds(60)));
  }));
  EXPECT_TRUE(moves_in([&](context&) {
    std::vector<hotplate::pending<void>> started;
    started.push_back(child.async());
    EXPECT_EQ(hotplate::wait_any(started), 0U);
  }));
}

TEST_P(affinity_test, calling_what_moves_moves) {
  const auto child = deploy_any("child", [](context& ctx) { ctx.yield(); });

  EXPECT_TRUE(moves_in([&](context&) { child().value(); }));
  EXPECT_TRUE(moves_in([&](context& ctx) { ctx.invoke("child").value(); }));
}

TEST_P(affinity_test, waiting_for_a_lock_moves) {
  hotplate::semaphore permits(engine_, 0);
  hotplate::channel<int> items(engine_, 0);
  const auto give = engine_.deploy("give", [&](context& ctx) {
    ctx.sleep_for(std::chrono::microseconds(10));
    permits.release();
  });
  const auto send = engine_.deploy("send", [&](context& ctx) {
    ctx.sleep_for(std::chrono::microseconds(10));
    items.send(1);
  });

  EXPECT_TRUE(moves_in([&](context&) {
    give.async().detach();
    permits.acquire();
  }));
  EXPECT_TRUE(moves_in([&](context&) {
    send.async().detach();
    EXPECT_EQ(items.receive(), 1);
  }));
}

TEST_P(affinity_test, a_thread_s_own_is_that_of_the_thread_moved_to) {
  struct own {
    pid_t thread;
    int* error;
    int* local;
    pthread_t self;
    bool operator==(const own&) const = default;
  };
  std::mutex guard;
  std::vector<own> seen;
  std::atomic<int> wrong = 0;
  const auto note = [&] {
    const own now{thread_here(), errno_here(), local_here(), self_here()};
    const std::lock_guard hold(guard);
    for (const own& each : seen) {
      if (each.thread == now.thread) {
        wrong += each == now ? 0 : 1;
        return;
      }
    }
    seen.push_back(now);
  };
  const auto mover = deploy_any("mover", [&](context& ctx) {
    for (int i = 0; i < 50; ++i) {
      note();
      ctx.yield();
    }
  });

  std::vector<hotplate::pending<void>> started;
  for (int i = 0; i < 20; ++i) started.push_back(mover.async());
  hotplate::wait_all(started);

  EXPECT_EQ(wrong, 0);
  EXPECT_GE(seen.size(), 2U);
}

// Waits while an exception is on its way out.
struct waits_in_its_destructor {
  context& ctx;
  int& wrong;
  ~waits_in_its_destructor() {
    for (int i = 0; i < 5; ++i) {
      if (std::uncaught_exceptions() != 1) ++wrong;
      ctx.yield();
    }
  }
};

int handle_exceptions(context& ctx, int id) {
  int wrong = 0;
  const auto is = [&](const std::exception& why, int number) {
    return why.what() == std::to_string(id * 10 + number);
  };
  const auto fail = [&](int number) {
    throw std::runtime_error(std::to_string(id * 10 + number));
  };
  try {
    try {
      const waits_in_its_destructor guard{ctx, wrong};
      fail(1);
    } catch (const std::exception& outer) {
      ctx.yield();
      wrong += is(outer, 1) ? 0 : 1;
      try {
        fail(2);
      } catch (const std::exception& inner) {
        ctx.yield();
        wrong += is(inner, 2) ? 0 : 1;
      }
      ctx.yield();
      if (std::uncaught_exceptions() != 0) ++wrong;
      throw;
    }
  } catch (const std::exception& again) {
    ctx.yield();
    wrong += is(again, 1) ? 0 : 1;
    const std::exception_ptr now = std::current_exception();
    ctx.yield();
    wrong += now == std::current_exception() ? 0 : 1;
  }
  return wrong + (std::current_exception() == nullptr ? 0 : 1);
}

TEST_P(affinity_test, exceptions_move_with_their_handler) {
  const auto mover = deploy_any("mover", &handle_exceptions);
  std::vector<hotplate::pending<int>> started;

  for (int id = 1; id <= 50; ++id) started.push_back(mover.async(id));

  for (auto& each : started) EXPECT_EQ(each.get().value(), 0);
}

TEST_P(affinity_test, an_exception_that_leaves_a_moved_handler_is_its_error) {
  const auto mover = deploy_any("mover", [](context& ctx) -> int {
    try {
      throw std::out_of_range("moved");
    } catch (...) {
      ctx.yield();
      throw;
    }
  });

  for (int i = 0; i < 20; ++i) {
    const auto outcome = mover();
    ASSERT_EQ(outcome.code(), errc::function_threw);
    EXPECT_NE(outcome.error().message.find("moved"), std::string::npos);
  }
}

TEST_P(affinity_test, others_stay_on_their_thread) {
  const auto mover = deploy_any("mover", [](context& ctx) { ctx.yield(); });
  const auto stayer = engine_.deploy("stayer", [&](context& ctx) {
    const pid_t before = thread_here();
    for (int i = 0; i < 100; ++i) {
      ctx.yield();
      mover().value();
      if (thread_here() != before) return false;
    }
    return true;
  });
  std::vector<hotplate::pending<bool>> started;

  for (int i = 0; i < 10; ++i) started.push_back(stayer.async());

  for (auto& each : started) EXPECT_TRUE(each.get().value());
}

TEST_P(affinity_test, all_is_counted_and_given_back_where_a_handler_ends) {
  struct state {
    int operator()(context& ctx, int value) {
      ctx.yield();
      auto* const scratch = static_cast<int*>(ctx.arena().allocate(100'000));
      scratch[20'000] = value;
      ctx.yield();
      return scratch[20'000];
    }
  };
  const auto mover = engine_.deploy<state>(
      "mover", {.timeout = seconds(60), .affinity = affinity::any});
  const auto outer = deploy_any(
      "outer", [&](context&, int value) { return mover(value).value(); });
  std::vector<hotplate::pending<int>> started;

  for (int i = 0; i < 500; ++i) started.push_back(outer.async(i));

  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(started[static_cast<std::size_t>(i)].get().value(), i);
  }
  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  const auto all = engine_.functions();
  EXPECT_EQ(all[0].count(errc::ok) + all[1].count(errc::ok), 1'000U);
  EXPECT_EQ(all[0].cold + all[0].warm, 500U);
  EXPECT_EQ(all[0].instances, all[0].cold);
}

TEST_P(affinity_test, fibers_that_moved_away_come_back_to_be_used_again) {
  const auto mover = deploy_any("mover", [](context& ctx) { ctx.yield(); });

  for (int i = 0; i < 300; ++i) mover.async().get().value();

  EXPECT_LE(engine_.stats().stacks, 30U);
}

INSTANTIATE_TEST_SUITE_P(workers, affinity_test, testing::Values(2, 4));

}  // namespace
