#include "demo/report.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "demo/format.hpp"
#include "demo/report_parts.hpp"

namespace demo {

namespace {

std::string summary(const work_result& work) {
  std::uint64_t cold = 0;
  std::uint64_t warm = 0;
  for (const auto& one : work.functions) {
    cold += one.cold;
    warm += one.warm;
  }
  return fmt::format(
      "  {} invocations on {} {} in {}: {} cold, {} warm, at most {} in "
      "flight;\n  {} outlived their callers, by {} in all.\n",
      grouped(work.engine.invocations), work.workers,
      work.workers == 1 ? "worker" : "workers",
      time_text(static_cast<std::uint64_t>(work.wall.count())), grouped(cold),
      grouped(warm), grouped(work.engine.peak_in_flight),
      grouped(work.engine.overruns),
      time_text(static_cast<std::uint64_t>(work.engine.overrun.count())));
}

// How many functions have which share of cold starts.
std::string cold_share_chart(const trace::replay_result& day) {
  constexpr std::size_t steps = 10;
  std::vector<std::uint64_t> counts(steps + 1);
  for (const auto& one : day.functions) {
    if (one.invocations() != 0) ++counts[one.cold * steps / one.invocations()];
  }
  const auto most = *std::max_element(counts.begin(), counts.end());
  table rows({"cold starts", "functions", ""});
  for (std::size_t i = 0; i <= steps; ++i) {
    const std::string label =
        i == steps ? "all" : fmt::format("from {:2} %", 10 * i);
    std::string marks = bar(static_cast<double>(counts[i]) /
                                static_cast<double>(std::max(most, 1UL)),
                            60);
    marks.resize(60, ' ');
    rows.add({label, grouped(counts[i]), marks});
  }
  return rows.text();
}

std::string day_summary(const day_result& day, const options& chosen) {
  const trace::replay_result& sum = day.replayed;
  const double all = static_cast<double>(std::max(sum.invocations, 1UL));
  table rows({"source", day.source});
  rows.add({"functions", grouped(day.traffic.functions.size())});
  rows.add({"invocations", grouped(sum.invocations)});
  rows.add({"cold starts",
            fmt::format("{} ({:.2f} %)", grouped(sum.cold),
                        100.0 * static_cast<double>(sum.cold) / all)});
  rows.add({"warm starts", grouped(sum.warm)});
  rows.add({"failed", sum.failed == 0 ? "0" : error_kinds(sum.by_code)});
  rows.add(
      {"kept alive for", fmt::format("{} min", chosen.keep_alive.count())});
  rows.add({"memory billed", short_number(sum.gb_seconds) + " GB-s"});
  rows.add({"memory kept warm, unused",
            short_number(sum.wasted_gb_seconds) + " GB-s"});
  rows.add({"peak concurrency", grouped(sum.peak_concurrency)});
  rows.add({"cold share of a function, p50 / p75 / mean",
            fmt::format("{:.1f} / {:.1f} / {:.1f} %", sum.cold_percent_p50,
                        sum.cold_percent_p75, sum.cold_percent_mean)});
  rows.add({"replayed in", fmt::format("{:.2f} s", sum.wall_seconds)});
  return rows.text();
}

}  // namespace

std::string report(const work_result& work) {
  std::string text = heading("Work done, each answer checked");
  for (const auto& [function, what] : work.done) {
    text += fmt::format("  {:<10}  {}\n", function, what);
  }
  text += summary(work);
  text += heading("First cold start and first failure of each function");
  for (const auto& one : work.notable) text += report_lines(one);
  text += heading("Functions");
  text += function_table(work.functions);
  text += heading("What a cold start (+) adds to a run (#), logarithmic");
  text += cold_chart(work.functions);
  text += heading("Errors");
  text += error_table(work.functions);
  text += heading("Bill for this work");
  return text + bill_table(work.bills, work.full_bills);
}

std::string report(const day_result& day, const options& chosen) {
  std::string text = heading("A day of traffic on simulated time");
  text += day_summary(day, chosen);
  if (day.traffic.without_memory + day.traffic.without_durations > 0) {
    text += fmt::format(
        "  Given the median of the others: the memory of {} functions, the "
        "durations of {}.\n",
        day.traffic.without_memory, day.traffic.without_durations);
  }
  text += heading("Functions by their share of cold starts");
  text += cold_share_chart(day.replayed);
  text += heading("Bill for this day");
  return text + bill_table(day.bills, day.full_bills);
}

}  // namespace demo
