#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <numeric>
#include <thread>

#include "hotplate/engine.hpp"
#include "hotplate/sched/scheduler.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::detail::clock_source;
using hotplate::detail::fiber;
using hotplate::detail::scheduler;
using hotplate::detail::task;
using hotplate::detail::worker;

/// What is done at each place, counted without any lock.
struct tallies {
  void add(const worker& at) { ++by_index[at.index()]; }
  int sum() const {
    return std::accumulate(by_index.begin(), by_index.end(), 0);
  }
  std::array<int, 16> by_index{};
  int trims = 0;  // Of these.
};

struct count_here : task {
  explicit count_here(tallies& its) : counts(its) {
    run = [](task& self, worker& on) -> fiber* {
      static_cast<count_here&>(self).counts.add(on);
      std::this_thread::yield();  // So that all places are taken at times.
      return nullptr;
    };
  }
  tallies& counts;
};

// Of as many places as threads: who is refused met one that was being trimmed,
// and two at one place would lose counts, which ThreadSanitizer sees as well.
TEST(guest_stress_test, a_place_is_one_threads_and_never_lacking) {
  constexpr std::size_t threads = 2;
  constexpr int each = 20'000;
  clock_source time{nullptr};
  scheduler sched(time, {.workers = 2, .guests = threads});
  tallies counts;
  sched.tell_of_looks(
      [](void* target, worker& at) noexcept {
        static_cast<tallies*>(target)->add(at);
        ++static_cast<tallies*>(target)->trims;
        std::this_thread::yield();
      },
      &counts);
  std::atomic<std::size_t> left = threads;
  std::atomic<int> refused = 0;

  together(threads + 1, [&](std::size_t thread) {
    while (thread == threads && left > 0) {
      sched.look(false);
      while (sched.trim_guest()) {
      }
    }
    for (int i = 0; thread < threads && i < each; ++i) {
      worker* const own = sched.claim_guest();
      if (own == nullptr) {
        ++refused;
        continue;
      }
      count_here counting(counts);
      sched.run_here(counting, *own);
      sched.give_back(*own);
      std::this_thread::yield();
    }
    if (thread < threads) --left;
  });

  EXPECT_EQ(refused, 0);
  EXPECT_GT(counts.trims, 0);
  EXPECT_EQ(counts.sum(), static_cast<int>(threads) * each + counts.trims);
}

// With fewer places than threads, some are refused: the others' answers are
// right, and all is counted.
TEST(guest_stress_test, beyond_the_places_threads_are_refused_and_no_more) {
  constexpr std::size_t threads = 4;
  constexpr int each = 1'000;
  hotplate::engine engine({.workers = 2, .max_guest_threads = 2});
  const auto inner = engine.deploy("inner", [](context& ctx, int x) {
    if (x % 50 == 0) ctx.yield();
    return x + 1;
  });
  const auto outer = engine.deploy("outer", [&](context& ctx, int x) {
    auto* const kept = static_cast<int*>(ctx.arena().allocate(6'000));
    kept[0] = inner(x).value();
    return kept[0];
  });
  std::atomic<int> wrong = 0;
  std::atomic<std::uint64_t> answered = 0;

  together(threads, [&](std::size_t thread) {
    for (int i = 0; i < each; ++i) {
      const int x = static_cast<int>(thread) * each + i;
      const auto outcome = engine.invoke_here(outer, x);
      if (outcome) {
        ++answered;
        wrong += outcome.value() == x + 1 ? 0 : 1;
      } else {
        wrong += outcome.code() == errc::resource_exhausted ? 0 : 1;
      }
    }
  });

  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(engine.stats().in_flight, 0);
  EXPECT_EQ(engine.functions()[0].count(errc::ok), answered);
  EXPECT_EQ(engine.functions()[1].count(errc::ok), answered);
  EXPECT_EQ(engine.functions()[1].invocations(), threads * each);
}

}  // namespace
