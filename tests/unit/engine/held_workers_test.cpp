#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/pending.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Two workers, both of which handlers hold in one way or another.
class held_workers_test : public testing::Test {
 protected:
  ~held_workers_test() override { released_ = true; }

  auto spin_until_released(milliseconds timeout) {
    return engine_.deploy("spin",
                          [this](context&) {
                            ++running_;
                            while (!released_) {
                            }
                          },
                          {.timeout = timeout});
  }
  bool all_run(int count) {
    return becomes_true([&] { return running_ == count; });
  }
  std::size_t spare_threads() { return engine_.stats().spare_threads; }

  std::atomic<bool> released_ = false;
  std::atomic<int> running_ = 0;
  hotplate::engine engine_{{.workers = 2, .max_spare_threads = 3}};
};

TEST_F(held_workers_test, spare_threads_serve_while_overruns_hold_all_workers) {
  const auto spin = spin_until_released(milliseconds(1'000));
  const auto add =
      engine_.deploy("add", [](context&, int a, int b) { return a + b; });
  auto first = spin.async();
  auto second = spin.async();
  ASSERT_TRUE(all_run(2));

  EXPECT_EQ(first.get().code(), errc::timed_out);
  EXPECT_EQ(second.get().code(), errc::timed_out);
  EXPECT_EQ(add(40, 2).value(), 42);
  EXPECT_GE(engine_.stats().spare_threads_started, 1U);
  EXPECT_EQ(engine_.stats().in_flight, 2) << "overruns keep their places";
  released_ = true;

  EXPECT_TRUE(becomes_true([&] { return spare_threads() == 0; }));
  EXPECT_EQ(add(1, 2).value(), 3);
  EXPECT_EQ(engine_.stats().overruns, 2U);
}

TEST_F(held_workers_test, spare_threads_are_bounded_and_callers_answered) {
  const auto spin = spin_until_released(milliseconds(30));
  std::vector<hotplate::pending<void>> hogs;
  for (int i = 0; i < 8; ++i) hogs.push_back(spin.async());

  for (auto& each : hogs) EXPECT_EQ(each.get().code(), errc::timed_out);
  EXPECT_LE(running_, 5) << "2 workers and 3 spare threads";
  EXPECT_LE(spare_threads(), 3U);
  released_ = true;

  EXPECT_TRUE(becomes_true([&] { return engine_.stats().in_flight == 0; }));
  EXPECT_TRUE(becomes_true([&] { return spare_threads() == 0; }));
}

TEST_F(held_workers_test, a_spare_thread_serves_while_handlers_block) {
  std::atomic<bool> wake = false;
  const auto block = engine_.deploy("block",
                                    [&](context&) {
                                      ++running_;
                                      wake.wait(false);
                                    },
                                    {.timeout = seconds(60)});
  const auto add =
      engine_.deploy("add", [](context&, int a, int b) { return a + b; });
  auto first = block.async();
  auto second = block.async();
  ASSERT_TRUE(all_run(2));

  EXPECT_EQ(add(1, 1).value(), 2);
  EXPECT_GE(engine_.stats().spare_threads_started, 1U);
  wake = true;
  wake.notify_all();

  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
}

TEST_F(held_workers_test, one_spare_thread_serves_while_all_compute_long) {
  const auto spin = spin_until_released(seconds(60));
  const auto add =
      engine_.deploy("add", [](context&, int a, int b) { return a + b; });
  std::vector<hotplate::pending<void>> hogs;
  for (int i = 0; i < 2; ++i) hogs.push_back(spin.async());
  ASSERT_TRUE(all_run(2));

  EXPECT_EQ(add(1, 1).value(), 2);
  for (int i = 0; i < 2; ++i) hogs.push_back(spin.async());
  std::this_thread::sleep_for(milliseconds(400));
  EXPECT_EQ(spare_threads(), 1U) << "more would only take time from the others";
  released_ = true;

  for (auto& each : hogs) EXPECT_TRUE(each.get());
}

TEST_F(held_workers_test, a_dismissed_spare_finishes_what_has_suspended_on_it) {
  const auto spin = spin_until_released(milliseconds(30));
  std::atomic<bool> asleep = false;
  const auto nap = engine_.deploy("nap", [&](context& ctx) {
    asleep = true;
    const auto before = gettid();
    ctx.sleep_for(milliseconds(400));
    return before == gettid();
  });
  auto first = spin.async();
  auto second = spin.async();
  ASSERT_TRUE(all_run(2));
  auto sleeping = nap.async();
  ASSERT_TRUE(becomes_true([&] { return asleep.load(); }));
  released_ = true;

  EXPECT_TRUE(sleeping.get().value()) << "on the thread where it started";
  EXPECT_TRUE(becomes_true([&] { return spare_threads() == 0; }));
}

TEST_F(held_workers_test, usage_on_spare_threads_is_counted_too) {
  const auto spin = spin_until_released(milliseconds(30));
  const auto one = engine_.deploy("one", [](context&) { return 1; });
  auto first = spin.async();
  auto second = spin.async();
  ASSERT_TRUE(all_run(2));

  for (int i = 0; i < 1000; ++i) EXPECT_EQ(one().value(), 1);

  for (const auto& each : engine_.functions()) {
    if (each.name == "one") {
      EXPECT_EQ(each.invocations(), 1000U);
    }
  }
}

TEST(threads_of_an_engine, none_is_spare_when_the_host_wants_none) {
  hotplate::engine engine({.workers = 1, .max_spare_threads = 0});
  const auto spin =
      engine.deploy("spin",
                    [](context& ctx) {
                      while (!ctx.cancelled()) {
                      }
                      std::this_thread::sleep_for(milliseconds(100));
                    },
                    {.timeout = milliseconds(20)});

  EXPECT_EQ(spin().code(), errc::timed_out);
  auto next = spin.async();
  EXPECT_EQ(next.get().code(), errc::timed_out);
  EXPECT_EQ(engine.stats().spare_threads_started, 0U);
}

TEST(threads_of_an_engine, carry_its_name) {
  hotplate::engine engine({.workers = 1, .name = "kitchen"});
  const auto name = engine.deploy("name", [](context&) {
    std::string read;
    std::getline(std::ifstream("/proc/thread-self/comm"), read);
    return read;
  });

  EXPECT_EQ(name().value(), "kitchen/0");
}

TEST(threads_of_an_engine, may_be_pinned_to_one_cpu_each) {
  hotplate::engine engine({.workers = 2, .pin_workers = true});
  const auto cpus = engine.deploy("cpus", [](context&) {
    cpu_set_t set;
    pthread_getaffinity_np(pthread_self(), sizeof set, &set);
    return CPU_COUNT(&set);
  });

  EXPECT_EQ(cpus().value(), 1);
}

TEST(threads_of_an_engine, bad_settings_are_refused_by_name) {
  try {
    hotplate::engine engine({.max_spare_threads = -1, .name = "far too long"});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_NE(std::string(why.what()).find("max_spare_threads"),
              std::string::npos);
    EXPECT_NE(std::string(why.what()).find("name"), std::string::npos);
  }
}

}  // namespace
