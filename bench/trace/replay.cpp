#include "trace/replay.hpp"

#include <algorithm>
#include <cmath>
#include <compare>

#include "hotplate/engine.hpp"
#include "trace/random.hpp"

namespace trace {

namespace {

using std::chrono::minutes;
using std::chrono::nanoseconds;

struct arrival {
  nanoseconds at;
  std::size_t function;
  nanoseconds duration;

  // By every member: an unstable sort then has but one result.
  auto operator<=>(const arrival&) const = default;
};

// Times out all the same, and does not overflow.
constexpr double longest_ms = 24 * 3'600'000.0;

nanoseconds draw_duration(const function_day& one, random& dice) {
  const double share = dice.uniform();
  std::size_t upper = 1;
  while (upper + 1 < one.durations.size() &&
         one.durations[upper].share < share) {
    ++upper;
  }
  const quantile& low = one.durations[upper - 1];
  const quantile& high = one.durations[upper];
  const double part = (share - low.share) / (high.share - low.share);
  const double ms = low.ms + (high.ms - low.ms) * std::clamp(part, 0.0, 1.0);
  return nanoseconds(std::llround(std::min(ms, longest_ms) * 1e6));
}

/// One day's traffic on one engine.
class simulation {
 public:
  simulation(const day& traffic, const replay_options& options)
      : traffic_(traffic),
        options_(options),
        dice_(options.seed),
        engine_({.workers = 0,
                 .max_concurrency = most_at_once,
                 .clock = &clock_,
                 .meters = options.meters}) {
    handles_.reserve(traffic.functions.size());
    for (std::size_t i = 0; i < traffic.functions.size(); ++i) deploy(i);
  }

  void run() {
    for (std::size_t m = 0; m < minutes_per_day; ++m) {
      if (options_.ignore_durations) {
        run_minute_at_once(m);
      } else {
        run_minute(m);
      }
      tell(static_cast<double>(m + 1) / minutes_per_day);
    }
    engine_.run_until(hotplate::time_point(std::chrono::hours(24)));
    sum_waste();
    engine_.run_until_idle();  // Those that midnight found in flight.
  }

  replay_result result() const;

 private:
  static constexpr std::int64_t most_at_once = 1'000'000'000;

  void deploy(std::size_t i) {
    const double mb = std::ceil(traffic_.functions[i].memory_mb);
    const auto mib = static_cast<std::uint32_t>(std::clamp(mb, 128.0, 10240.0));
    handles_.push_back(
        engine_.deploy("f" + std::to_string(i),
                       [](hotplate::context& ctx, nanoseconds duration) {
                         if (duration.count() > 0) ctx.sleep_for(duration);
                       },
                       {.memory = {mib},
                        .timeout = std::chrono::seconds(900),
                        .max_concurrency = most_at_once,
                        .keep_alive = options_.keep_alive,
                        .stack_bytes = 16 * 1024}));
  }

  // The call pumps: each ends before the next, and they share one instance.
  void run_minute_at_once(std::size_t m) {
    engine_.run_until(hotplate::time_point(minutes(m)));
    for (std::size_t i = 0; i < handles_.size(); ++i) {
      for (std::uint32_t n = traffic_.functions[i].invocations[m]; n > 0; --n) {
        auto counted_by_the_engine = handles_[i](nanoseconds(0));
      }
    }
  }

  void run_minute(std::size_t m) {
    arrivals_.clear();
    for (std::size_t i = 0; i < handles_.size(); ++i) {
      const function_day& one = traffic_.functions[i];
      for (std::uint32_t n = one.invocations[m]; n > 0; --n) {
        const auto within = static_cast<std::int64_t>(dice_.uniform() * 60e9);
        arrivals_.push_back(
            {minutes(m) + nanoseconds(within), i, draw_duration(one, dice_)});
      }
    }
    std::sort(arrivals_.begin(), arrivals_.end());
    for (const arrival& next : arrivals_) {
      engine_.run_until(hotplate::time_point(next.at));
      auto dropped = handles_[next.function].async(next.duration);
    }
  }

  void sum_waste() {
    const auto functions = engine_.functions();
    for (std::size_t i = 0; i < functions.size(); ++i) {
      const std::chrono::duration<double> idle = functions[i].idle;
      wasted_gb_seconds_ +=
          traffic_.functions[i].memory_mb / 1024.0 * idle.count();
    }
  }

  void tell(double share) {
    constexpr auto pause = std::chrono::milliseconds(100);
    const auto now = std::chrono::steady_clock::now();
    if (!options_.progress || (share < 1 && now - told_ < pause)) return;
    told_ = now;
    options_.progress(share);
  }

  const day& traffic_;
  const replay_options& options_;
  random dice_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_;
  std::vector<hotplate::function<void(nanoseconds)>> handles_;
  std::vector<arrival> arrivals_;
  double wasted_gb_seconds_ = 0;
  std::chrono::steady_clock::time_point told_;
};

void summarise_cold(replay_result& sum) {
  std::vector<double> percent;
  for (const hotplate::function_stats& each : sum.functions) {
    const std::uint64_t all = each.invocations();
    if (all == 0) continue;
    percent.push_back(100.0 * static_cast<double>(each.cold) /
                      static_cast<double>(all));
  }
  if (percent.empty()) return;
  std::sort(percent.begin(), percent.end());
  const auto at = [&](double q) {
    return percent[static_cast<std::size_t>(
        q * static_cast<double>(percent.size()))];
  };
  sum.cold_percent_p50 = at(0.5);
  sum.cold_percent_p75 = at(0.75);
  for (const double each : percent) sum.cold_percent_mean += each;
  sum.cold_percent_mean /= static_cast<double>(percent.size());
}

replay_result simulation::result() const {
  replay_result sum;
  sum.functions = engine_.functions();
  for (const hotplate::function_stats& one : sum.functions) {
    sum.invocations += one.invocations();
    sum.cold += one.cold;
    sum.warm += one.warm;
    sum.failed += one.errors();
    sum.gb_seconds += one.gb_seconds;
    for (std::size_t code = 0; code < one.by_code.size(); ++code) {
      sum.by_code[code] += one.by_code[code];
    }
  }
  sum.wasted_gb_seconds = wasted_gb_seconds_;
  sum.peak_concurrency = engine_.stats().peak_in_flight;
  summarise_cold(sum);
  return sum;
}

}  // namespace

replay_result replay(const day& traffic, const replay_options& options) {
  const auto start = std::chrono::steady_clock::now();
  simulation simulated(traffic, options);
  simulated.run();
  replay_result result = simulated.result();
  result.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return result;
}

}  // namespace trace
