#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"

// What function_stats makes of many invocations.

namespace {

using hotplate::context;
using hotplate::distribution;
using hotplate::errc;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr int invocations = 500;

/// Log-normal, so that all magnitudes come.
std::vector<std::int64_t> drawn(unsigned seed, double middle) {
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> times(std::log(middle), 1.5);
  std::vector<std::int64_t> values(invocations);
  for (auto& one : values) one = 20 + static_cast<std::int64_t>(times(random));
  return values;
}

void expect_near(const distribution& counted, std::vector<std::int64_t> exact,
                 const char* what) {
  std::sort(exact.begin(), exact.end());
  EXPECT_EQ(counted.count(), exact.size()) << what;
  for (const double q : {0.0, 0.1, 0.5, 0.9, 0.99, 1.0}) {
    const auto right = static_cast<double>(exact[static_cast<std::size_t>(
        std::floor(q * static_cast<double>(exact.size() - 1)))]);
    EXPECT_NEAR(static_cast<double>(counted.quantile(q)), right, right * 0.032)
        << what << " at " << q;
  }
}

struct figure_of_its_own {
  static inline hotplate::manual_clock* clock = nullptr;
  static inline std::int64_t init = 0;

  figure_of_its_own() { clock->advance(nanoseconds(init)); }
  void operator()(context& ctx, std::int64_t compute, std::int64_t sleep,
                  std::int64_t bytes) {
    (void)ctx.arena().allocate(static_cast<std::size_t>(bytes), 1);
    clock->advance(nanoseconds(compute));
    ctx.sleep_for(nanoseconds(sleep));
  }
};

// Every figure of every invocation is known; each starts cold.
TEST(figures_of_a_function, are_at_most_3_2_percent_off) {
  hotplate::manual_clock clock;
  figure_of_its_own::clock = &clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto f = engine.deploy<figure_of_its_own>(
      "f", {.timeout = seconds(900), .keep_alive = milliseconds(0)});
  const auto queued = drawn(1, 3e4), init = drawn(2, 5e6), ran = drawn(3, 2e5),
             slept = drawn(4, 1e7), bytes = drawn(5, 3e4);
  std::vector<std::int64_t> whole, peaks;

  for (std::size_t i = 0; i < invocations; ++i) {
    figure_of_its_own::init = init[i];
    auto call = f.async(ran[i], slept[i], bytes[i]);
    clock.advance(nanoseconds(queued[i]));
    const auto used = call.get().usage();
    whole.push_back(ran[i] + slept[i]);
    peaks.push_back(static_cast<std::int64_t>(used.arena_peak_bytes));
    EXPECT_GE(peaks.back(), bytes[i]);
  }

  const auto counted = engine.functions()[0];
  expect_near(counted.queued, queued, "queued");
  expect_near(counted.init, init, "init");
  expect_near(counted.duration, whole, "duration");
  expect_near(counted.running, ran, "running");
  expect_near(counted.suspended, slept, "suspended");
  expect_near(counted.arena_peak, peaks, "arena peak");
}

/// All that were accepted are, at any moment, in one of these.
struct sums {
  std::uint64_t completed = 0, failed = 0, timed_out = 0, throttled = 0,
                cancelled = 0, in_flight = 0;

  explicit sums(const hotplate::engine& engine) {
    for (const auto& each : engine.functions()) {
      completed += each.count(errc::ok);
      failed += each.count(errc::function_threw) +
                each.count(errc::init_failed) + each.count(errc::out_of_memory);
      timed_out += each.count(errc::timed_out);
      throttled += each.count(errc::throttled);
      cancelled += each.count(errc::cancelled);
    }
    const auto now = engine.stats();
    in_flight = static_cast<std::uint64_t>(now.in_flight + now.waiting);
  }
  std::uint64_t all() const {
    return completed + failed + timed_out + throttled + cancelled + in_flight;
  }
};

void do_something(context& ctx, int what) {
  if (what == 1) throw std::runtime_error("as told");
  if (what == 2) ctx.sleep_for(milliseconds(3));
  if (what == 3) ctx.sleep_for(seconds(1));  // Beyond its timeout.
  if (what == 4) ctx.yield();
}

TEST(conservation, what_was_accepted_is_somewhere_at_every_sample) {
  hotplate::manual_clock clock;
  hotplate::engine engine(
      {.workers = 0, .max_concurrency = 12, .clock = &clock});
  const auto f = engine.deploy(
      "f", &do_something,
      {.timeout = milliseconds(10), .max_concurrency = 4, .max_waiting = 3});
  const auto g =
      engine.deploy("g", &do_something, {.timeout = milliseconds(7)});
  std::mt19937 random(3);  // NOLINT(cert-msc51-cpp): the same on every run
  std::vector<hotplate::pending<void>> calls;
  std::uint64_t accepted = 0;

  for (int step = 0; step < 500; ++step) {
    calls.push_back(
        (random() % 2 == 0 ? f : g).async(static_cast<int>(random() % 5)));
    ++accepted;
    if (random() % 4 == 0) calls[random() % calls.size()].cancel();
    if (random() % 2 == 0) engine.run_for(microseconds(random() % 3'000));
    engine.poll();  // Whoever has been answered ends now.
    ASSERT_EQ(sums(engine).all(), accepted) << step;
  }
  engine.run_until_idle();

  const sums last(engine);
  EXPECT_EQ(last.all(), accepted);
  EXPECT_EQ(last.in_flight, 0U);
  for (const std::uint64_t each : {last.completed, last.failed, last.timed_out,
                                   last.throttled, last.cancelled}) {
    EXPECT_GT(each, 0U) << "all of them happened";
  }
}

}  // namespace
