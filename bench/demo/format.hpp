#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace demo {

std::string grouped(std::uint64_t count);          ///< 12,345
std::string grouped(std::int64_t count);           ///< -12,345
std::string time_text(std::uint64_t nanoseconds);  ///< 1.23 ms
std::string bytes_text(std::uint64_t bytes);       ///< 1.23 MB, of 2^20
std::string digits(double value, int after_point);

/// Three significant digits, without an exponent below 10^15.
std::string short_number(double value);

/// Columns as wide as they need to be: the first aligned left, others right.
class table {
 public:
  explicit table(std::vector<std::string> header) { add(std::move(header)); }

  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A bar of `share` (0 to 1) of the width.
std::string bar(double share, std::size_t width);

}  // namespace demo
