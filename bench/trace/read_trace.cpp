#include "trace/read_trace.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_map>

namespace trace {

namespace {

constexpr std::array<int, 7> percentiles = {0, 1, 25, 50, 75, 99, 100};

using durations = std::array<quantile, percentiles.size()>;

void must_be_new(const csv& file, std::size_t column, bool is_new) {
  if (!is_new) file.fail(column, "this id was there before");
}

void warn_if_cut(const csv& file, const std::filesystem::path& path,
                 std::vector<std::string>& warnings) {
  if (!file.ends_abruptly()) return;
  warnings.push_back(path.string() + ":" + std::to_string(file.line()) +
                     ": the last line has no end; if the file was cut off, "
                     "its last number may be wrong");
}

/// Invocations of all functions, by minute.
using minute_sums = std::array<std::uint64_t, minutes_per_day>;

// The full data set calls its columns 1 to 1440, the sample 1_minute and so on.
std::size_t minute_column(const csv& file, std::size_t minute) {
  const std::string name = std::to_string(minute);
  return file.has(name) ? file.column(name) : file.column(name + "_minute");
}

void read_minutes(const csv& file,
                  const std::array<std::size_t, minutes_per_day>& columns,
                  function_day& into, minute_sums& sums) {
  for (std::size_t m = 0; m < minutes_per_day; ++m) {
    into.invocations[m] = file.count(columns[m]);
    sums[m] += into.invocations[m];
    if (sums[m] > most_a_minute) {
      file.fail(columns[m], "more than " + std::to_string(most_a_minute) +
                                " invocations in this minute, with the rows "
                                "above");
    }
  }
}

std::vector<function_day> read_invocations(const std::filesystem::path& path,
                                           std::vector<std::string>& warnings) {
  csv file(path);
  const std::size_t id = file.column("HashFunction");
  const std::size_t application = file.column("HashApp");
  std::array<std::size_t, minutes_per_day> columns{};
  for (std::size_t m = 0; m < minutes_per_day; ++m) {
    columns[m] = minute_column(file, m + 1);
  }
  std::vector<function_day> functions;
  std::set<std::string, std::less<>> seen;
  minute_sums sums{};
  while (file.next()) {
    function_day& added = functions.emplace_back();
    added.id = file.text(id);
    added.application = file.text(application);
    must_be_new(file, id, seen.insert(added.id).second);
    read_minutes(file, columns, added, sums);
  }
  if (functions.empty()) file.fail_at_end("no row follows the header");
  warn_if_cut(file, path, warnings);
  return functions;
}

std::unordered_map<std::string, durations> read_durations(
    const std::filesystem::path& path, std::vector<std::string>& warnings) {
  csv file(path);
  const std::size_t id = file.column("HashFunction");
  std::array<std::size_t, percentiles.size()> columns{};
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    columns[i] =
        file.column("percentile_Average_" + std::to_string(percentiles[i]));
  }
  std::unordered_map<std::string, durations> all;
  while (file.next()) {
    durations read{};
    for (std::size_t i = 0; i < percentiles.size(); ++i) {
      read[i] = {percentiles[i] / 100.0, file.number(columns[i])};
      if (i > 0 && read[i].ms < read[i - 1].ms) {
        file.fail(columns[i], "is less than the percentile before it");
      }
    }
    must_be_new(file, id, all.emplace(file.text(id), read).second);
  }
  if (all.empty()) file.fail_at_end("no row follows the header");
  warn_if_cut(file, path, warnings);
  return all;
}

std::unordered_map<std::string, double> read_memory(
    const std::filesystem::path& path, std::vector<std::string>& warnings) {
  csv file(path);
  const std::size_t id = file.column("HashApp");
  const std::size_t average = file.column("AverageAllocatedMb");
  std::unordered_map<std::string, double> all;
  while (file.next()) {
    const double mb = file.number(average);
    must_be_new(file, id, all.emplace(file.text(id), mb).second);
  }
  if (all.empty()) file.fail_at_end("no row follows the header");
  warn_if_cut(file, path, warnings);
  return all;
}

template <typename Value, typename Less>
Value median(std::vector<Value> values, Less less) {
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end(), less);
  return *middle;
}

void join_memory(day& all,
                 const std::unordered_map<std::string, double>& rows) {
  std::vector<double> values;
  for (const auto& [id, mb] : rows) values.push_back(mb);
  const double usual = median(values, std::less<>());
  for (function_day& each : all.functions) {
    const auto row = rows.find(each.application);
    each.memory_mb = row != rows.end() ? row->second : usual;
    if (row == rows.end()) ++all.without_memory;
  }
}

void join_durations(day& all,
                    const std::unordered_map<std::string, durations>& rows) {
  std::vector<durations> values;
  for (const auto& [id, row] : rows) values.push_back(row);
  const durations usual = median(
      values,
      [](const durations& a, const durations& b) { return a[3].ms < b[3].ms; });
  for (function_day& each : all.functions) {
    const auto row = rows.find(each.id);
    each.durations = row != rows.end() ? row->second : usual;
    if (row == rows.end()) ++all.without_durations;
  }
}

}  // namespace

day read_trace(const std::filesystem::path& folder) {
  day all;
  all.functions = read_invocations(folder / "invocations.csv", all.warnings);
  const auto durations_by_id =
      read_durations(folder / "durations.csv", all.warnings);
  const auto memory_by_id = read_memory(folder / "memory.csv", all.warnings);
  join_durations(all, durations_by_id);
  join_memory(all, memory_by_id);
  return all;
}

}  // namespace trace
