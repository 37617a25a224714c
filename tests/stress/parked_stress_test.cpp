#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using std::chrono::minutes;

// Under TSan each fiber takes much of the runtime's memory, with g++'s more
// than 8,128 end it; under ASan stacks are four times as large.
#if defined(HOTPLATE_TSAN)
constexpr int many = 2'000;
#elif defined(HOTPLATE_ASAN)
constexpr int many = 10'000;
#else
constexpr int many = 100'000;
#endif
constexpr std::size_t page = 4096;

// Without what the heap keeps of earlier tests.
std::size_t resident_bytes() {
  malloc_trim(0);
  std::size_t total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * page;
}

// What page tables take is not part of the resident set.
std::size_t page_table_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kibibytes = 0;
    if (word == "VmPTE:" && status >> kibibytes) return kibibytes * 1024;
  }
  return 0;
}

std::size_t mappings() {
  std::ifstream maps("/proc/self/maps");
  std::size_t count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

// As stack_pool asks it, on a page of its own.
bool kernel_installs_guards() {
  void* const probe = mmap(nullptr, page, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  const bool does = madvise(probe, page, 102) == 0;
  munmap(probe, page);
  return does;
}

struct resident {
  std::size_t bytes = resident_bytes();
  std::size_t tables = page_table_bytes();
  std::size_t maps = mappings();
};

// Bytes of each of them.
struct growth {
  growth(const resident& before, const resident& now, std::size_t count)
      : bytes((now.bytes - before.bytes) / count),
        tables((now.tables - before.tables) / count),
        maps(static_cast<std::ptrdiff_t>(now.maps) -
             static_cast<std::ptrdiff_t>(before.maps)) {
    std::printf(
        "%zu parked: %zu resident bytes each, and %zu of page tables; "
        "%td mappings more\n",
        count, bytes, tables, maps);
  }
  std::size_t bytes, tables;
  std::ptrdiff_t maps;
};

class parked_stress_test : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (!kernel_installs_guards() && many > 20'000) {
      GTEST_SKIP() << "this kernel has no MADV_GUARD_INSTALL: two mappings a "
                      "stack end at vm.max_map_count";
    }
  }

  void wait_for(int count) {
    while (engine_.stats().in_flight < count || parked_ < count) {
      if (GetParam() == 0) {
        engine_.poll();
      } else {
        usleep(1000);
      }
    }
  }

  static void judge([[maybe_unused]] const growth& each) {
#if !defined(HOTPLATE_ASAN) && !defined(HOTPLATE_TSAN)
    // A page of stack, the record, its place in lists and the timers' heap.
    EXPECT_LE(each.bytes, page + 1536);
    EXPECT_LT(each.maps, many / 100) << "a guard costs no mapping";
#endif
  }

  std::atomic<int> parked_ = 0;
  hotplate::engine engine_{{.workers = GetParam(), .max_concurrency = many}};
};

TEST_P(parked_stress_test, handlers_wait_for_a_permit_and_all_get_it) {
  hotplate::semaphore gate(engine_, 0);
  const auto park = engine_.deploy("park",
                                   [&](context&, int n) {
                                     ++parked_;
                                     gate.acquire();
                                     return n;
                                   },
                                   {.timeout = minutes(15),
                                    .max_concurrency = many,
                                    .stack_bytes = 16 * 1024});
  std::vector<hotplate::pending<int>> all;
  all.reserve(many);
  const resident before;

  for (int i = 0; i < many; ++i) all.push_back(park.async(i));
  wait_for(many);

  judge(growth(before, {}, many));
  EXPECT_EQ(engine_.stats().stacks, static_cast<std::size_t>(many));
  for (int i = 0; i < many; ++i) gate.release();
  for (int i = 0; i < many; ++i) {
    ASSERT_EQ(all[static_cast<std::size_t>(i)].get().value(), i);
  }
  EXPECT_EQ(engine_.stats().in_flight, 0);
}

TEST_P(parked_stress_test, handlers_that_sleep_are_all_cancelled) {
  const auto sleep = engine_.deploy("sleep",
                                    [&](context& ctx) {
                                      ++parked_;
                                      ctx.sleep_for(minutes(10));
                                    },
                                    {.timeout = minutes(15),
                                     .max_concurrency = many,
                                     .stack_bytes = 64 * 1024});
  std::vector<hotplate::pending<void>> all;
  all.reserve(many);
  const resident before;

  for (int i = 0; i < many; ++i) all.push_back(sleep.async());
  wait_for(many);

  judge(growth(before, {}, many));
  for (auto& each : all) each.cancel();
  for (auto& each : all) {
    ASSERT_EQ(each.get().code(), hotplate::errc::cancelled);
  }
  while (engine_.stats().in_flight > 0) engine_.poll();
}

INSTANTIATE_TEST_SUITE_P(workers, parked_stress_test, testing::Values(0, 2));

}  // namespace
