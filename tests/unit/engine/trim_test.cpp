#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <set>
#include <vector>

#include "eventually.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The sanitizers keep memory of their own for each fiber and block.
#if defined(HOTPLATE_ASAN) || defined(HOTPLATE_TSAN)
constexpr int many = 300;
constexpr bool tells_memory = false;
#else
constexpr int many = 3'000;
constexpr bool tells_memory = true;
#endif

std::size_t resident_kib() {
  malloc_trim(0);
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * 4;
}

long page_faults() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return used.ru_minflt;
}

// Each invocation: a page of stack, and one of arena. The record's is 960
// bytes, and the instance's 128.
constexpr std::size_t kib_parked = std::size_t{many} * 8;

class trim_test : public testing::Test {
 protected:
  struct parker {
    int operator()(context& ctx, hotplate::semaphore* gate, int n) {
      static_cast<int*>(ctx.arena().allocate(1024))[100] = n;
      gate->acquire();
      return n;
    }
  };

  hotplate::engine_config with(bool gives_back) {
    return {.workers = 0,
            .max_concurrency = 2 * many,
            .gives_memory_back = gives_back,
            .clock = &clock_};
  }

  // As many are in flight at once; all answer.
  void burst(hotplate::engine& engine) {
    hotplate::semaphore gate(engine, 0);
    const auto park = engine.deploy<parker>(
        "park",
        {.timeout = minutes(15), .max_concurrency = many, .keep_alive = {}});
    std::vector<hotplate::pending<int>> all;
    for (int i = 0; i < many; ++i) all.push_back(park.async(&gate, i));
    engine.poll();
    ASSERT_GE(engine.in_flight().size(), std::size_t{many});
    for (const auto& each : engine.in_flight()) numbers_.insert(each.id.number);
    for (int i = 0; i < many; ++i) gate.release();
    for (int i = 0; i < many; ++i) {
      ASSERT_EQ(all[static_cast<std::size_t>(i)].get().value(), i);
    }
  }

  void pass(hotplate::engine& engine, milliseconds time) {
    engine.run_until(clock_.now() + time);
  }

  hotplate::manual_clock clock_;
  std::set<std::uint64_t> numbers_;  // Of all that were in flight.
};

TEST_F(trim_test, a_burst_is_forgotten_after_half_a_second) {
  if (!tells_memory) GTEST_SKIP() << "a sanitizer's memory is in the way";
  hotplate::engine engine(with(true));
  pass(engine, seconds(1));
  const std::size_t before = resident_kib();

  burst(engine);
  EXPECT_GE(resident_kib(), before + kib_parked);
  pass(engine, milliseconds(250));
  pass(engine, milliseconds(250));

  EXPECT_LE(resident_kib(), before + kib_parked / 10);
  EXPECT_LE(engine.stats().stacks, 20U);
}

TEST_F(trim_test, memory_stays_where_the_host_wants_that) {
  if (!tells_memory) GTEST_SKIP() << "a sanitizer's memory is in the way";
  hotplate::engine engine(with(false));
  const std::size_t before = resident_kib();

  burst(engine);
  for (int i = 0; i < 10; ++i) pass(engine, milliseconds(250));

  EXPECT_GE(resident_kib(), before + kib_parked);
  EXPECT_EQ(engine.stats().stacks, std::size_t{many});
}

TEST_F(trim_test, bursts_between_which_memory_was_given_back_are_all_alike) {
  hotplate::engine engine(with(true));

  for (int i = 0; i < 5; ++i) {
    burst(engine);
    pass(engine, milliseconds(250));
    pass(engine, milliseconds(250));
    EXPECT_LE(engine.stats().stacks, 20U) << i;
  }

  EXPECT_EQ(engine.functions()[0].invocations(), 5U * many);
  EXPECT_EQ(engine.stats().in_flight, 0);
}

TEST_F(trim_test, what_waits_meanwhile_keeps_what_it_has) {
  hotplate::engine engine(with(true));
  hotplate::semaphore gate(engine, 0);
  const auto wait = engine.deploy(
      "wait",
      [&](context& ctx) {
        auto* const kept = static_cast<char*>(ctx.arena().allocate(100'000));
        std::fill(kept, kept + 100'000, 'x');
        gate.acquire();
        return std::count(kept, kept + 100'000, 'x');
      },
      {.timeout = minutes(15)});
  auto waits = wait.async();
  burst(engine);
  auto waits_too = wait.async();

  for (int i = 0; i < 10; ++i) pass(engine, milliseconds(250));
  gate.release();
  gate.release();

  EXPECT_EQ(waits.get().value(), 100'000);
  EXPECT_EQ(waits_too.get().value(), 100'000);
}

TEST_F(trim_test, a_deadline_passes_while_others_memory_is_given_back) {
  hotplate::engine engine(with(true));
  const auto sleep =
      engine.deploy("sleep", [](context& ctx) { ctx.sleep_for(minutes(1)); });
  auto sleeps = sleep.async();
  burst(engine);

  for (int i = 0; i < 13; ++i) pass(engine, milliseconds(250));

  EXPECT_EQ(sleeps.get().code(), errc::timed_out);
}

TEST_F(trim_test, no_number_of_an_invocation_is_given_twice) {
  hotplate::engine engine(with(true));

  for (std::size_t i = 1; i <= 5; ++i) {
    burst(engine);
    EXPECT_EQ(numbers_.size(), i * many);
    pass(engine, milliseconds(250));
    pass(engine, milliseconds(250));
  }
}

TEST_F(trim_test, steady_traffic_causes_no_page_faults) {
  if (!tells_memory) GTEST_SKIP() << "a sanitizer's memory is in the way";
  hotplate::engine engine(with(true));
  hotplate::semaphore gate(engine, 0);
  const auto work =
      engine.deploy("work",
                    [&](context& ctx) {
                      for (int i = 0; i < 300; ++i) {
                        static_cast<char*>(ctx.arena().allocate(4096))[1] = 1;
                      }
                      gate.acquire();
                    },
                    {.timeout = minutes(15)});
  constexpr std::size_t at_once = 20;
  std::vector<hotplate::pending<void>> all;
  all.reserve(at_once);
  const auto round = [&] {
    all.clear();
    for (std::size_t i = 0; i < at_once; ++i) all.push_back(work.async());
    engine.poll();
    for (auto& each : all) {
      gate.release();
      each.get().value();
    }
    pass(engine, milliseconds(100));
  };
  for (int i = 0; i < 20; ++i) round();

  const long before = page_faults();
  for (int i = 0; i < 100; ++i) round();

  // Each round uses some 6,000 pages.
  EXPECT_LE(page_faults() - before, 100);
}

TEST(trim_by_watchdog_test, a_burst_is_forgotten_without_more_work) {
  if (!tells_memory) GTEST_SKIP() << "a sanitizer's memory is in the way";
  hotplate::engine engine({.workers = 2, .max_concurrency = many});
  hotplate::semaphore gate(engine, 0);
  std::atomic<int> parked = 0;
  const auto park =
      engine.deploy("park",
                    [&](context&) {
                      ++parked;
                      gate.acquire();
                    },
                    {.timeout = minutes(15), .max_concurrency = many});
  const std::size_t before = resident_kib();
  for (int i = 0; i < many; ++i) park.async().detach();
  ASSERT_TRUE(becomes_true([&] { return parked == many; }));
  ASSERT_GE(resident_kib(), before + kib_parked / 2);

  for (int i = 0; i < many; ++i) gate.release();

  EXPECT_TRUE(
      becomes_true([&] { return resident_kib() <= before + kib_parked / 10; }));
  EXPECT_LE(engine.stats().stacks, 40U);
}

}  // namespace
