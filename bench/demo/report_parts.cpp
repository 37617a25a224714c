#include "demo/report_parts.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "demo/format.hpp"

namespace demo {

namespace {

std::string milliseconds(std::chrono::nanoseconds time) {
  return digits(static_cast<double>(time.count()) / 1e6, 2) + " ms";
}

std::string at(const hotplate::distribution& times, double share) {
  return times.count() == 0 ? "-" : time_text(times.quantile(share));
}

std::string money(double dollars) {
  if (dollars == 0) return "0";
  return dollars >= 0.01 ? digits(dollars, 2) : digits(dollars, 8);
}

std::uint64_t cold_time(const hotplate::function_stats& one) {
  return one.init.quantile(0.5) + one.duration.quantile(0.5);
}

}  // namespace

std::string heading(const std::string& title) {
  return "\n" + title + "\n" + std::string(title.size(), '-') + "\n";
}

std::string report_lines(const notable_invocation& one) {
  const hotplate::usage& used = one.usage;
  std::string text = fmt::format("  {}, {} start, {}\n", one.function,
                                 to_string(used.start), to_string(used.status));
  text += fmt::format(
      "  REPORT RequestId: {}  Duration: {}  Billed Duration: {} ms\n"
      "         Memory Size: {} MB  Max Memory Used: {}",
      to_string(used.id), milliseconds(used.duration), used.billed().count(),
      used.memory_mib, bytes_text(used.arena_peak_bytes));
  if (used.start == hotplate::start_kind::cold) {
    text += "  Init Duration: " + milliseconds(used.init);
  }
  if (!one.message.empty()) text += "\n         Error: " + one.message;
  return text + "\n";
}

std::string function_table(const std::vector<hotplate::function_stats>& all) {
  table columns({"function", "cold", "warm", "init p50", "p99", "queue p50",
                 "p99", "run p50", "p99", "arena", "GB-s"});
  for (const hotplate::function_stats& one : all) {
    columns.add({one.name, grouped(one.cold), grouped(one.warm),
                 at(one.init, 0.5), at(one.init, 0.99), at(one.queued, 0.5),
                 at(one.queued, 0.99), at(one.duration, 0.5),
                 at(one.duration, 0.99), bytes_text(one.arena_peak.quantile(1)),
                 short_number(one.gb_seconds)});
  }
  return columns.text();
}

std::string cold_chart(const std::vector<hotplate::function_stats>& all) {
  constexpr std::size_t width = 40;
  std::uint64_t longest = 1;
  for (const auto& one : all) longest = std::max(longest, cold_time(one));
  // Logarithmic, from a microsecond on: the times lie decades apart.
  const auto share = [longest](std::uint64_t time) {
    const double whole = std::log(static_cast<double>(longest) / 1e3);
    return std::log(std::max(1.0, static_cast<double>(time) / 1e3)) /
           std::max(1.0, whole);
  };
  table rows({"", "init", "run", ""});
  for (const auto& one : all) {
    const std::string cold = bar(share(cold_time(one)), width);
    std::string warm = bar(share(one.duration.quantile(0.5)), width);
    warm.resize(std::max(cold.size(), warm.size()), '+');
    warm.resize(width, ' ');
    rows.add({one.name, at(one.init, 0.5), at(one.duration, 0.5), warm});
  }
  return rows.text();
}

std::string error_kinds(
    const std::array<std::uint64_t, hotplate::errc_count>& by_code) {
  std::string kinds;
  for (std::size_t code = 1; code < by_code.size(); ++code) {
    if (by_code[code] == 0) continue;
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ",
                         to_string(static_cast<hotplate::errc>(code)),
                         grouped(by_code[code]));
  }
  return kinds;
}

std::string error_table(const std::vector<hotplate::function_stats>& all) {
  table rows({"function", "failed", "of", "kinds"});
  for (const hotplate::function_stats& one : all) {
    if (one.errors() == 0) continue;
    rows.add({one.name, grouped(one.errors()), grouped(one.invocations()),
              error_kinds(one.by_code)});
  }
  return rows.text();
}

std::string bill_table(const std::vector<hotplate::bill>& bills,
                       const std::vector<hotplate::bill>& full) {
  table rows({"price book", "requests", "GB-s", "GHz-s", "USD", "after free"});
  std::string sources;
  for (std::size_t i = 0; i < bills.size(); ++i) {
    const hotplate::billed_amount& amount = bills[i].amount;
    rows.add({bills[i].book, grouped(amount.requests),
              short_number(amount.gb_seconds()),
              amount.mhz_ms == 0 ? "-" : short_number(amount.ghz_seconds()),
              money(full[i].total), money(bills[i].total)});
    sources += fmt::format("  {}: {}, {}\n", bills[i].book, bills[i].source,
                           bills[i].date);
  }
  return rows.text() +
         "  \"after free\" takes off each provider's monthly free tier.\n\n" +
         sources;
}

}  // namespace demo
