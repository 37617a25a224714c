#include "demo/json_report.hpp"

#include <nlohmann/json.hpp>

namespace demo {

namespace {

using json = nlohmann::ordered_json;

json quantiles(const hotplate::distribution& times) {
  return {{"p50", times.quantile(0.5)}, {"p99", times.quantile(0.99)}};
}

json errors_of(const std::array<std::uint64_t, hotplate::errc_count>& by_code) {
  json errors = json::object();
  for (std::size_t code = 1; code < by_code.size(); ++code) {
    if (by_code[code] == 0) continue;
    errors[std::string(to_string(static_cast<hotplate::errc>(code)))] =
        by_code[code];
  }
  return errors;
}

json function_object(const hotplate::function_stats& one) {
  return {{"name", one.name},
          {"version", one.version},
          {"memory_mib", one.config.memory.count},
          {"invocations", one.invocations()},
          {"cold", one.cold},
          {"warm", one.warm},
          {"errors", errors_of(one.by_code)},
          {"init_ns", quantiles(one.init)},
          {"queue_ns", quantiles(one.queued)},
          {"duration_ns", quantiles(one.duration)},
          {"arena_peak_bytes", one.arena_peak.quantile(1)},
          {"gb_seconds", one.gb_seconds}};
}

json bill_object(const hotplate::bill& with_free, const hotplate::bill& full) {
  json lines = json::array();
  for (const hotplate::bill_line& line : full.lines) {
    lines.push_back(
        {{"what", line.what}, {"quantity", line.quantity}, {"usd", line.cost}});
  }
  return {{"book", full.book}, {"source", full.source},
          {"date", full.date}, {"lines", lines},
          {"usd", full.total}, {"usd_after_free_tier", with_free.total}};
}

json bill_array(const std::vector<hotplate::bill>& with_free,
                const std::vector<hotplate::bill>& full) {
  json bills = json::array();
  for (std::size_t i = 0; i < full.size(); ++i) {
    bills.push_back(bill_object(with_free[i], full[i]));
  }
  return bills;
}

json work_object(const work_result& work) {
  std::uint64_t invocations = 0;
  std::uint64_t cold = 0;
  std::uint64_t warm = 0;
  json functions = json::array();
  for (const hotplate::function_stats& one : work.functions) {
    invocations += one.invocations();
    cold += one.cold;
    warm += one.warm;
    functions.push_back(function_object(one));
  }
  return {{"invocations", invocations},
          {"cold", cold},
          {"warm", warm},
          {"overruns", work.engine.overruns},
          {"peak_concurrency", work.engine.peak_in_flight},
          {"workers", work.workers},
          {"wall_ns", work.wall.count()},
          {"functions", functions},
          {"bills", bill_array(work.bills, work.full_bills)}};
}

json day_object(const day_result& day, const options& chosen) {
  const trace::replay_result& sum = day.replayed;
  return {{"source", day.source},
          {"seed", chosen.seed},
          {"keep_alive_minutes", chosen.keep_alive.count()},
          {"ignore_durations", chosen.ignore_durations},
          {"functions", day.traffic.functions.size()},
          {"without_memory", day.traffic.without_memory},
          {"without_durations", day.traffic.without_durations},
          {"invocations", sum.invocations},
          {"cold", sum.cold},
          {"warm", sum.warm},
          {"failed", sum.failed},
          {"errors", errors_of(sum.by_code)},
          {"peak_concurrency", sum.peak_concurrency},
          {"gb_seconds", sum.gb_seconds},
          {"wasted_gb_seconds", sum.wasted_gb_seconds},
          {"function_cold_percent",
           {{"p50", sum.cold_percent_p50},
            {"p75", sum.cold_percent_p75},
            {"mean", sum.cold_percent_mean}}},
          {"wall_seconds", sum.wall_seconds},
          {"bills", bill_array(day.bills, day.full_bills)}};
}

}  // namespace

std::string json_report(const work_result& work,
                        const std::optional<day_result>& day,
                        const options& chosen) {
  json whole = work_object(work);
  if (day) whole["trace"] = day_object(*day, chosen);
  // A path need not be UTF-8; JSON has to be.
  return whole.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace demo
