#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <exception>
#include <memory>
#include <vector>

#include "hotplate/coroutine.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using hotplate::outcome;
using hotplate::pending;
using std::chrono::microseconds;
using std::chrono::seconds;

class continuation_stress_test : public testing::TestWithParam<int> {
 protected:
  static constexpr int rounds = 300;
  hotplate::engine engine_{{.workers = GetParam()}};
  hotplate::function<int(int)> nap_ =
      engine_.deploy("nap", [](context& ctx, int us) {
        if (us > 0) ctx.sleep_for(microseconds(us));
        return us;
      });
};

// Whatever comes first, what follows is called once or destroyed uncalled.
TEST_P(continuation_stress_test, settling_meets_cancelling_and_dropping) {
  std::atomic<int> made = 0, called = 0, destroyed = 0;
  struct witness {
    explicit witness(std::atomic<int>* its) : destroyed(its) {}
    witness(witness&& other) noexcept
        : destroyed(std::exchange(other.destroyed, nullptr)) {}
    ~witness() {
      if (destroyed != nullptr) ++*destroyed;
    }
    std::atomic<int>* destroyed;
  };

  together(3, [&](std::size_t thread) {
    for (int i = 0; i < rounds; ++i) {
      ++made;
      auto last =
          nap_.async(i % 9)
              .then([seen = witness(&destroyed), &called](outcome<int> before) {
                ++called;
                return before.has_value();
              })
              .then([](const outcome<bool>& before) {
                return before.has_value() ? 1 : 0;
              });
      if (i % 4 == 0) last.cancel();
      if (i % 4 == 1) (void)last.get();
      if (i % 4 == 2) last.detach();
      if (i % 8 == 3) last.wait_until(engine_.now() + microseconds(thread * 9));
    }
  });

  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  EXPECT_EQ(destroyed, made);
  EXPECT_LE(called, made);
}

struct started {
  struct promise_type {
    started get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

TEST_P(continuation_stress_test, each_coroutine_is_resumed_once) {
  std::atomic<int> ended = 0, right = 0;
  const auto run = [&](int i) -> started {
    auto a = nap_.async(i % 5), b = nap_.async(i % 7), c = nap_.async(0);
    const std::size_t first = co_await when_any(a, b, c);
    if (i % 3 == 0) b.cancel();
    auto [x, y, z] = co_await when_all(a, b, c);
    right += first < 3 && x && z && (y || i % 3 == 0) ? 1 : 0;
    (void)co_await nap_.async(i % 4);
    ++ended;
  };

  together(3, [&](std::size_t) {
    for (int i = 0; i < rounds; ++i) run(i);
  });

  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  EXPECT_EQ(ended, 3 * rounds);
}

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

INSTANTIATE_TEST_SUITE_P(workers, continuation_stress_test,
                         testing::Values(0, 1, 2, 4));

// Host-pumped, so that nobody resumes while one thread destroys and the other
// settles.
TEST(continuation_pump_stress_test, settling_meets_destroying_a_coroutine) {
  constexpr int rounds = 2'000;
  hotplate::engine engine({.workers = 0});
  const auto nap =
      engine.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  std::atomic<pending<void>*> to_cancel = nullptr;
  int resumed = 0;
  const auto run = [&](std::vector<pending<void>>& several) -> owned {
    co_await hotplate::when_any(several);
    ++resumed;
  };

  together(2, [&](std::size_t thread) {
    for (int i = 0; i < rounds; ++i) {
      if (thread == 1) {
        pending<void>* target = nullptr;
        while ((target = to_cancel.load()) == nullptr) {
        }
        target->cancel();
        to_cancel = nullptr;
        continue;
      }
      std::vector<pending<void>> several;
      for (int n = 0; n < 3; ++n) several.push_back(nap.async());
      const owned one = run(several);
      to_cancel = &several[static_cast<std::size_t>(i) % 3];
      one.handle.destroy();
      while (to_cancel != nullptr) {
      }
      engine.poll();
      for (auto& each : several) each.cancel();
    }
  });

  EXPECT_EQ(resumed, 0);
}

}  // namespace
