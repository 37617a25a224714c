#include "trace/generate_trace.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <numbers>

#include "trace/random.hpp"

namespace trace {

namespace {

constexpr std::size_t function_count = 860;
constexpr double invocations_a_day = 468'175;
constexpr double usual_ms = 393;
constexpr double usual_mb = 143;

/// Invocations a day below which a share of the functions lies; between two
/// knots the logarithm is linear.
struct knot {
  double share;
  double a_day;
};
using knots = std::array<knot, 11>;

// The sample's, but for the last: it makes the sum come out right.
constexpr knots sample = {{{0, 1},
                           {0.2, 2},
                           {0.47, 24},
                           {0.6, 95},
                           {0.8, 480},
                           {0.9, 1440},
                           {0.91, 1440},
                           {0.95, 2170},
                           {0.98, 4970},
                           {0.99, 8100},
                           {1, 0}}};

double rate_at(const knots& curve, double share) {
  const auto* upper = std::next(curve.begin());
  while (upper->share < share && std::next(upper) != curve.end()) ++upper;
  const auto* const lower = std::prev(upper);
  const double part = (share - lower->share) / (upper->share - lower->share);
  return lower->a_day * std::pow(upper->a_day / lower->a_day, part);
}

std::vector<double> rates_along(const knots& curve) {
  std::vector<double> rates;
  for (std::size_t i = 0; i < function_count; ++i) {
    const double share = (static_cast<double>(i) + 0.5) / function_count;
    rates.push_back(std::round(rate_at(curve, share)));
  }
  return rates;
}

std::vector<double> draw_rates() {
  knots curve = sample;
  double low = std::prev(curve.end(), 2)->a_day;
  double high = 1e6;
  std::vector<double> rates;
  for (int halvings = 0; halvings < 30; ++halvings) {
    curve.back().a_day = (low + high) / 2;
    rates = rates_along(curve);
    double sum = 0;
    for (const double rate : rates) sum += rate;
    (sum < invocations_a_day ? low : high) = curve.back().a_day;
  }
  return rates;
}

// A timer.
void tick(function_day& one, double a_day, random& dice) {
  const double period = minutes_per_day / a_day;
  const double phase = dice.uniform() * period;
  for (double n = 0; n < a_day; ++n) {
    const auto at = static_cast<std::size_t>(phase + n * period);
    ++one.invocations[std::min(at, minutes_per_day - 1)];
  }
}

/// How likely the minutes of a day are, each added to those before it.
using likelihood = std::array<double, minutes_per_day>;

// Busiest in the afternoon, and some hours of the day far busier than others.
likelihood rhythm(random& dice) {
  constexpr double bursts_a_day = 3;
  likelihood sums{};
  double sum = 0;
  double burst = 1;
  for (std::size_t m = 0; m < minutes_per_day; ++m) {
    const double angle =
        2 * std::numbers::pi * (static_cast<double>(m) / minutes_per_day - 0.4);
    if (m % 15 == 0) burst = dice.uniform() < bursts_a_day / 96 ? 100 : 1;
    sum += burst * (1 + 0.6 * std::sin(angle));
    sums[m] = sum;
  }
  return sums;
}

void follow_the_day(function_day& one, double a_day, random& dice) {
  const likelihood sums = rhythm(dice);
  for (double n = 0; n < a_day; ++n) {
    const double drawn = dice.uniform() * sums.back();
    const auto* const at = std::upper_bound(sums.begin(), sums.end(), drawn);
    const auto minute = static_cast<std::size_t>(at - sums.begin());
    ++one.invocations[std::min(minute, minutes_per_day - 1)];
  }
}

// Lognormal around the median; a function's own durations spread less.
void draw_durations(function_day& one, random& dice) {
  constexpr double longest_ms = 300'000;
  const double median = usual_ms * std::exp(2.4 * dice.normal());
  constexpr double z[] = {-3.5, -2.33, -0.674, 0, 0.674, 2.33, 3.5};
  constexpr double shares[] = {0, 0.01, 0.25, 0.5, 0.75, 0.99, 1};
  for (std::size_t i = 0; i < one.durations.size(); ++i) {
    const double ms = median * std::exp(0.5 * z[i]);
    one.durations[i] = {shares[i], std::clamp(ms, 1.0, longest_ms)};
  }
}

double median_of(const day& made, double (*figure)(const function_day&)) {
  std::vector<double> values;
  for (const function_day& each : made.functions) {
    values.push_back(figure(each));
  }
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// A sample's medians scatter around those it was drawn from.
void scale_to_medians(day& made) {
  const double ms = median_of(
      made, [](const function_day& one) { return one.durations[3].ms; });
  const double mb =
      median_of(made, [](const function_day& one) { return one.memory_mb; });
  for (function_day& each : made.functions) {
    each.memory_mb = std::round(each.memory_mb * usual_mb / mb);
    for (quantile& one : each.durations) one.ms *= usual_ms / ms;
  }
}

}  // namespace

day generate_trace(std::uint64_t seed) {
  random dice(seed);
  day made;
  for (const double a_day : draw_rates()) {
    function_day& one = made.functions.emplace_back();
    one.id = "generated-" + std::to_string(made.functions.size());
    one.application = one.id;
    one.memory_mb =
        std::clamp(usual_mb * std::exp(0.45 * dice.normal()), 20.0, 1500.0);
    draw_durations(one, dice);
    dice.uniform() < 0.3 ? tick(one, a_day, dice)
                         : follow_the_day(one, a_day, dice);
  }
  scale_to_medians(made);
  return made;
}

}  // namespace trace
