#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Context switches of all threads of the engine so far: each wake-up is one.
std::uint64_t switches_of(const std::string& engine_name) {
  std::uint64_t sum = 0;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(thread.path() / "comm"), name);
    if (name.rfind(engine_name + "/", 0) != 0) continue;
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.find("ctxt_switches:") == std::string::npos) continue;
      sum += std::stoull(line.substr(line.find(':') + 1));
    }
  }
  return sum;
}

struct stateful {
  int operator()(context&) { return ++uses; }
  int uses = 0;
};

class idle_test : public testing::Test {
 protected:
  // P11: idle after a second without work.
  static constexpr auto settling = milliseconds(1'500);

  std::uint64_t wakeups_within(seconds time) {
    const std::uint64_t before = switches_of("idle");
    std::this_thread::sleep_for(time);
    return switches_of("idle") - before;
  }

  hotplate::engine engine_{{.workers = 2, .name = "idle"}};
};

TEST_F(idle_test, nothing_wakes_up_while_instances_are_warm_or_once_they_left) {
  const auto call =
      engine_.deploy<stateful>("stateful", {.keep_alive = seconds(14)});
  ASSERT_EQ(call().value(), 1);
  std::this_thread::sleep_for(settling);
  ASSERT_GT(switches_of("idle"), 0U);

  EXPECT_EQ(wakeups_within(seconds(10)), 0U) << "with an instance warm";

  std::this_thread::sleep_for(seconds(3) + settling);
  ASSERT_EQ(engine_.functions()[0].instances, 0U) << "expired by then";
  EXPECT_EQ(wakeups_within(seconds(10)), 0U) << "with none left";
  EXPECT_EQ(call().value(), 1) << "and it still wakes up for work";
}

TEST_F(idle_test, nothing_wakes_up_once_a_bursts_memory_was_given_back) {
  hotplate::semaphore gate(engine_, 0);
  const auto park = engine_.deploy("park", [&](context&) { gate.acquire(); });
  for (int i = 0; i < 500; ++i) park.async().detach();
  while (engine_.stats().stacks < 500) std::this_thread::yield();

  for (int i = 0; i < 500; ++i) gate.release();
  while (engine_.stats().in_flight > 0) std::this_thread::yield();
  std::this_thread::sleep_for(settling + milliseconds(500));

  EXPECT_LE(engine_.stats().stacks, 40U) << "all but a few";
  EXPECT_EQ(wakeups_within(seconds(2)), 0U);
}

TEST_F(idle_test, an_engine_that_never_ran_anything_sleeps) {
  std::this_thread::sleep_for(settling);
  EXPECT_EQ(wakeups_within(seconds(2)), 0U);
}

}  // namespace
