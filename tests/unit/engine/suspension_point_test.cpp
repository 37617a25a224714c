#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "hotplate/channel.hpp"
#include "hotplate/describe.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

// in_flight() shows the line of the handler that waits, whatever it waits for.

namespace {

using hotplate::context;
using hotplate::invocation_state;
using std::chrono::seconds;
using testing::EndsWith;

class suspension_point_test : public testing::Test {
 protected:
  using wait = std::function<void(context&)>;

  /// Starts each as a handler.
  void start(std::vector<wait> waits) {
    waits_ = std::move(waits);
    const auto call = engine_.deploy("wait", [this](context& ctx, int i) {
      waits_.at(static_cast<std::size_t>(i))(ctx);
    });
    for (int i = 0; i < static_cast<int>(waits_.size()); ++i) {
      started_.push_back(call.async(i));
    }
  }
  void at(std::uint32_t line) { lines_.push_back(line); }

  std::vector<std::uint32_t> shown() const {
    std::vector<std::uint32_t> lines;
    for (const auto& each : engine_.in_flight()) {
      if (each.function != "wait") continue;
      if (each.state != invocation_state::suspended) continue;
      EXPECT_THAT(each.where.file_name(),
                  EndsWith("suspension_point_test.cpp"));
      lines.push_back(each.where.line());
    }
    return lines;
  }

  void end() {
    for (auto& each : started_) each.cancel();
    engine_.run_until_idle();
  }

  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
  hotplate::function<void()> nap_ =
      engine_.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(2)); });
  hotplate::function<int(int)> nap_of_ =
      engine_.deploy("nap_of", [](context& ctx, int x) {
        ctx.sleep_for(seconds(2));
        return x;
      });
  std::vector<wait> waits_;
  std::vector<std::uint32_t> lines_;
  std::vector<hotplate::pending<void>> started_;
};

TEST_F(suspension_point_test, of_what_waits_for_time_or_others) {
  hotplate::semaphore none(engine_, 0);
  hotplate::fiber_mutex mutex(engine_);
  mutex.lock();
  hotplate::channel<int> empty(engine_, 1), full(engine_, 1);
  full.send(0);
  const seconds second(1);
  start({
      [&](context& ctx) { at(__LINE__), ctx.sleep_for(second); },
      [&](context& ctx) { at(__LINE__), ctx.sleep_until(ctx.now() + second); },
      [&](context&) { at(__LINE__), hotplate::sleep_for(engine_, second); },
      [&](context&) { at(__LINE__), none.acquire(); },
      [&](context&) { at(__LINE__), (void)none.try_acquire_for(second); },
      [&](context&) { at(__LINE__), mutex.lock(); },
      [&](context&) { at(__LINE__), (void)mutex.try_lock_for(second); },
      [&](context&) { at(__LINE__), empty.receive(); },
      [&](context&) { at(__LINE__), full.send(1); },
  });
  engine_.poll();

  EXPECT_EQ(lines_.size(), 9U);
  EXPECT_THAT(shown(), testing::UnorderedElementsAreArray(lines_));
  end();
  mutex.unlock();
}

TEST_F(suspension_point_test, of_what_waits_for_invocations) {
  using hotplate::wait_all;
  using hotplate::wait_any;
  const seconds second(1);
  const std::vector<int> one = {1};
  const std::vector<std::string> text = {""};
  const auto with_two = [&](auto body) {
    return [this, body](context& ctx) {
      auto a = nap_.async(), b = nap_.async();
      body(ctx, a, b);
    };
  };
  using P = hotplate::pending<void>;
  using V = std::vector<P>;
  start({
      [&](context&) { at(__LINE__), (void)nap_(); },
      [&](context& ctx) { at(__LINE__), (void)ctx.invoke("nap"); },
      [&](context&) { at(__LINE__), (void)engine_.invoke("nap"); },
      [&](context&) { at(__LINE__), (void)nap_of_.invoke_all(one); },
      [&](context&) { at(__LINE__), (void)engine_.invoke_all("nap", text); },
      with_two([&](context&, P& a, P&) { at(__LINE__), (void)a.get(); }),
      with_two([&](context& ctx, P& a, P&) {
        at(__LINE__), a.wait_until(ctx.now() + second);
      }),
      with_two([&](context&, P& a, P& b) { at(__LINE__), wait_any(a, b); }),
      with_two([&](context&, P& a, P& b) { at(__LINE__), wait_all(a, b); }),
      with_two([&](context& ctx, P& a, P& b) {
        at(__LINE__), wait_any_until(ctx.now() + second, a, b);
      }),
      with_two([&](context& ctx, P& a, P& b) {
        at(__LINE__), wait_all_until(ctx.now() + second, a, b);
      }),
      [&](context&) {
        V all;
        all.push_back(nap_.async());
        at(__LINE__), wait_any(all);
      },
      [&](context&) {
        V all;
        all.push_back(nap_.async());
        at(__LINE__), wait_all(all);
      },
  });
  engine_.poll();

  EXPECT_EQ(lines_.size(), 13U);
  EXPECT_THAT(shown(), testing::UnorderedElementsAreArray(lines_));
  end();
}

// Nobody can look before one that yields goes on, but who runs meanwhile; who
// that is, the worker decides.
TEST_F(suspension_point_test, of_what_yields) {
  std::vector<std::uint32_t> seen;
  const auto look = [&](context&) { seen = shown(); };
  const auto twice = [](const auto& body) { body(), body(); };
  start(
      {[&](context& ctx) { at(__LINE__), twice([&] { ctx.yield(); }); }, look});
  engine_.poll();
  EXPECT_EQ(seen, lines_);

  lines_.clear();
  start(
      {[&](context&) { at(__LINE__), twice([&] { yield(engine_); }); }, look});
  engine_.poll();
  EXPECT_EQ(seen, lines_);
}

TEST_F(suspension_point_test, is_unknown_in_invoke_here) {
  start({
      [&](context& ctx) {
        ctx.yield();
        at(0), (void)engine_.invoke_here(nap_);
      },
  });
  engine_.poll();

  ASSERT_EQ(engine_.in_flight().size(), 2U);
  for (const auto& each : engine_.in_flight()) {
    if (each.function != "wait") continue;
    EXPECT_EQ(each.where.line(), 0U);
  }
  end();
}

}  // namespace
