#include "trace/csv.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

namespace trace {

csv::csv(const std::filesystem::path& path) : path_(path.string()) {
  read_all(path);
  read_header();
}

void csv::read_all(const std::filesystem::path& path) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) {
    fail_at(1, 0, "is a directory, not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fail_at(1, 0, std::string("cannot be read: ") + std::strerror(errno));
  }
  content_.assign(std::istreambuf_iterator<char>(file), {});
  if (file.bad()) fail_at(1, 0, "cannot be read to its end");
}

void csv::read_header() {
  if (!split_line()) fail_at(1, 0, "the file is empty; expected a header");
  width_ = cells_.size();
  for (std::size_t i = 0; i < width_; ++i) {
    if (!names_.emplace(cells_[i].text, i).second) {
      fail(i, "the header has this column twice");
    }
  }
}

std::size_t csv::column(std::string_view name) const {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  fail_at(1, 0, "the header lacks a column " + std::string(name));
}

bool csv::next() {
  if (!split_line()) return false;
  if (cells_.size() == width_) return true;
  const cell& last = cells_.back();
  fail_at(line_,
          cells_.size() > width_ ? cells_[width_].offset
                                 : last.offset + last.text.size(),
          fmt::format("this row has {} cells, the header has {}{}",
                      cells_.size(), width_,
                      ends_abruptly() ? "; the file may be truncated" : ""));
}

bool csv::ends_abruptly() const {
  return !content_.empty() && content_.back() != '\n' && at_ == content_.size();
}

bool csv::split_line() {
  if (at_ == content_.size()) return false;
  ++line_;
  const std::size_t end = std::min(content_.find('\n', at_), content_.size());
  std::string_view line(content_.data() + at_, end - at_);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  at_ = std::min(end + 1, content_.size());
  cells_.clear();
  std::size_t start = 0;
  for (;;) {
    const std::size_t comma = line.find(',', start);
    cells_.push_back({line.substr(start, comma - start), start});
    if (comma == std::string_view::npos) return true;
    start = comma + 1;
  }
}

std::string_view csv::text(std::size_t column) const {
  if (cells_[column].text.empty()) fail(column, "this cell is empty");
  return cells_[column].text;
}

std::uint32_t csv::count(std::size_t column) const {
  const std::string_view digits = text(column);
  std::uint32_t value = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) {
    fail(column,
         fmt::format("\"{}\" is not a whole number from 0 to 4294967295",
                     digits.substr(0, 40)));
  }
  return value;
}

double csv::number(std::size_t column) const {
  const std::string_view digits = text(column);
  double value = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() ||
      !std::isfinite(value) || value < 0) {
    fail(column, fmt::format("\"{}\" is not a number of 0 or more",
                             digits.substr(0, 40)));
  }
  return value;
}

void csv::fail(std::size_t column, const std::string& what) const {
  fail_at(line_, cells_[column].offset, what);
}

void csv::fail_at_end(const std::string& what) const {
  fail_at(line_ + 1, 0, what);
}

void csv::fail_at(std::size_t line, std::size_t offset,
                  const std::string& what) const {
  throw trace_error(fmt::format("{}:{}:{}: {}", path_, line, offset + 1, what));
}

}  // namespace trace
