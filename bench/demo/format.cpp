#include "demo/format.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace demo {

namespace {

struct unit {
  double size;
  const char* name;
};

template <std::size_t N>
std::string in_units(double value, const unit (&units)[N]) {
  std::size_t i = 0;
  // 999.5 would be printed as 1000.
  while (i + 1 < N && value >= 999.5 * units[i].size) ++i;
  const double scaled = value / units[i].size;
  const int after = i == 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", scaled, after, units[i].name);
}

}  // namespace

std::string grouped(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string grouped(std::int64_t count) {
  const auto magnitude = static_cast<std::uint64_t>(count);
  return count < 0 ? fmt::format("-{}", grouped(0 - magnitude))
                   : grouped(magnitude);
}

std::string time_text(std::uint64_t nanoseconds) {
  constexpr unit units[] = {{1, "ns"}, {1e3, "us"}, {1e6, "ms"}, {1e9, "s"}};
  return in_units(static_cast<double>(nanoseconds), units);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr unit units[] = {{1, "B"},
                            {1024.0, "KB"},
                            {1024.0 * 1024, "MB"},
                            {1024.0 * 1024 * 1024, "GB"}};
  return in_units(static_cast<double>(bytes), units);
}

std::string digits(double value, int after_point) {
  return fmt::format("{:.{}f}", value, after_point);
}

std::string short_number(double value) {
  if (value == 0) return "0";
  // Beyond, digits would be made up, and then overflow.
  if (!(std::abs(value) < 1e15)) return fmt::format("{:.3g}", value);
  if (std::abs(value) >= 1000) {
    return grouped(static_cast<std::int64_t>(std::llround(value)));
  }
  const int before = static_cast<int>(std::floor(std::log10(std::abs(value))));
  return digits(value, std::clamp(2 - before, 0, 12));
}

std::string table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    text += fmt::format("  {:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) {
      text += fmt::format("  {:>{}}", row[i], widths[i]);
    }
    text += '\n';
  }
  return text;
}

std::string bar(double share, std::size_t width) {
  const double marks = std::clamp(share, 0.0, 1.0) * static_cast<double>(width);
  return std::string(static_cast<std::size_t>(std::ceil(marks)), '#');
}

}  // namespace demo
