#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// From now on the address space may grow by that much.
void allow_growth_by(std::size_t bytes) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  rlimit limit = {};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = pages * 4096 + bytes;
  setrlimit(RLIMIT_AS, &limit);
}

void allow_any_growth() {
  rlimit limit = {};
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_AS, &limit);
}

// In a child process, which has no other way to fail.
void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::_Exit(1);
}
#define REQUIRE(...) require((__VA_ARGS__), #__VA_ARGS__)

class exhaustion_death_test : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
#if defined(HOTPLATE_ASAN) || defined(HOTPLATE_TSAN)
    GTEST_SKIP() << "the sanitizer's shadow leaves no address space to limit";
#endif
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }
};

// Each of these stacks is a reservation of its own, so that the 201 MiB left
// are enough for three.
constexpr std::size_t stack_bytes = 64 * mebibyte;
constexpr std::size_t left = 201 * mebibyte;

struct parking {
  explicit parking(int workers) : engine({.workers = workers}) {}

  hotplate::pending<int> start() {
    auto started = park.async();
    while (!started.ready() && parked == before) {
      if (engine.poll() == 0) sched_yield();
    }
    before = parked;
    return started;
  }

  std::atomic<int> parked = 0;
  hotplate::engine engine;
  hotplate::semaphore gate{engine, 0};
  int before = 0;
  const hotplate::function<int()> park =
      engine.deploy("park",
                    [this](context&) {
                      ++parked;
                      gate.acquire();
                      return 1;
                    },
                    {.stack_bytes = stack_bytes});
};

void refuse_and_recover(int workers) {
  mallopt(M_ARENA_MAX, 1);  // Each further one may take 128 MiB of it.
  parking place(workers);
  REQUIRE(place.engine.deploy("empty", [] {})().has_value());
  allow_growth_by(left);

  std::vector<hotplate::pending<int>> all;
  for (int i = 0; i < 6; ++i) all.push_back(place.start());
  REQUIRE(place.parked == 3);
  for (std::size_t i = 3; i < 6; ++i) {
    const auto refused = all[i].get();
    REQUIRE(refused.code() == errc::resource_exhausted);
    REQUIRE(refused.error().message ==
            "the host has no memory for a stack for function park");
  }
  REQUIRE(place.engine.stats().in_flight == 3);
  REQUIRE(place.engine.invoke("empty").has_value());

  allow_any_growth();
  all.push_back(place.start());
  REQUIRE(place.parked == 4);
  for (int i = 0; i < 4; ++i) place.gate.release();
  for (const std::size_t i : {0U, 1U, 2U, 6U})
    REQUIRE(all[i].get().value() == 1);
  REQUIRE(place.engine.stats().in_flight == 0);
  std::_Exit(0);
}

TEST_P(exhaustion_death_test, what_finds_no_stack_is_refused_and_no_more) {
  EXPECT_EXIT(refuse_and_recover(GetParam()), testing::ExitedWithCode(0), "");
}

void refuse_nested(int workers) {
  mallopt(M_ARENA_MAX, 1);
  hotplate::engine engine({.workers = workers});
  const auto callee =
      engine.deploy("callee", [] { return 2; }, {.stack_bytes = stack_bytes});
  const auto caller = engine.deploy("caller", [&](context&, bool enough) {
    const auto answer = callee();
    return answer.code() == (enough ? errc::ok : errc::resource_exhausted);
  });
  engine.deploy("warm", [] {});
  REQUIRE(engine.invoke("warm").has_value());
  allow_growth_by(stack_bytes / 2);
  REQUIRE(caller(false).value());

  allow_any_growth();
  REQUIRE(caller(true).value());
  std::_Exit(0);
}

TEST_P(exhaustion_death_test, a_handler_hears_that_its_callee_has_no_stack) {
  EXPECT_EXIT(refuse_nested(GetParam()), testing::ExitedWithCode(0), "");
}

INSTANTIATE_TEST_SUITE_P(workers, exhaustion_death_test,
                         testing::Values(0, 1, 2));

}  // namespace
