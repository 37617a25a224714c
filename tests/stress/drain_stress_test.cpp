#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "hotplate/hotplate.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::microseconds;
using std::chrono::seconds;

// Cancelled between its admission and the moment when its caller waits, a
// nested invocation must still find that caller.
TEST(drain_stress_test, a_caller_is_answered_whenever_the_engine_is_drained) {
  for (int round = 0; round < 200; ++round) {
    hotplate::engine engine({.workers = 2});
    const auto child = engine.deploy("child", [](context&) {});
    const auto caller = engine.deploy("caller",
                                      [&](context&) {
                                        while (child().code() == errc::ok) {
                                        }
                                      },
                                      {.timeout = seconds(60)});
    auto a = caller.async(), b = caller.async();
    std::this_thread::sleep_for(microseconds(100 + round % 300));

    (void)engine.drain(seconds(0));

    ASSERT_TRUE(engine.drain(seconds(20)).running.empty()) << round;
    EXPECT_NE(a.get().code(), errc::timed_out);
    EXPECT_NE(b.get().code(), errc::timed_out);
  }
}

}  // namespace
