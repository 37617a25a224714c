#include "trace/csv.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

namespace trace {

namespace {

// The start of a cell, for a message. A terminal obeys control characters.
std::string quoted(std::string_view cell) {
  std::string text(cell.substr(0, 40));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("\"{}\"{}", text, cell.size() > 40 ? "..." : "");
}

// Whether all of `digits` was a number.
template <typename Number>
bool parse(std::string_view digits, Number& value) {
  const char* const end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, value);
  return read.ec == std::errc{} && read.ptr == end;
}

}  // namespace

csv::csv(const std::filesystem::path& path) : path_(path.string()) {
  read_all(path);
  read_header();
}

void csv::read_all(const std::filesystem::path& path) {
  std::error_code problem;
  if (std::filesystem::is_directory(path, problem)) {
    fail_at(1, 0, "is a directory, not a file");
  }
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) {
    fail_at(1, 0, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  constexpr std::size_t piece = 1 << 16;
  for (std::size_t got = piece; got == piece;) {
    const std::size_t before = content_.size();
    content_.resize(before + piece);
    got = std::fread(content_.data() + before, 1, piece, file.get());
    content_.resize(before + got);
    if (content_.size() > most_bytes) fail_at(1, 0, "is larger than 512 MiB");
  }
  if (std::ferror(file.get()) != 0) {
    fail_at(1, 0, fmt::format("cannot be read: {}", std::strerror(errno)));
  }
}

void csv::read_header() {
  if (content_.starts_with("\xEF\xBB\xBF")) content_.erase(0, 3);
  if (!split_line()) fail_at(1, 0, "the file is empty; expected a header");
  width_ = cells_.size();
  for (std::size_t i = 0; i < width_; ++i) {
    if (!names_.emplace(cells_[i].text, i).second) {
      fail(i, fmt::format("the header has this column twice{}", hint()));
    }
  }
}

std::size_t csv::column(std::string_view name) const {
  const auto found = names_.find(name);
  if (found != names_.end()) return found->second;
  fail_at(1, 0, fmt::format("the header lacks a column {}{}", name, hint()));
}

bool csv::next() {
  if (!split_line()) return false;
  if (cells_.size() != width_) fail_for_width();
  return true;
}

void csv::fail_for_width() const {
  const cell& last = cells_.back();
  const std::size_t last_end = last.offset + last.text.size();
  if (last_end == 0) fail_at(line_, 0, "this line is empty");
  fail_at(line_, cells_.size() > width_ ? cells_[width_].offset : last_end,
          fmt::format("this row has {} {}, the header has {}{}", cells_.size(),
                      cells_.size() == 1 ? "cell" : "cells", width_, hint()));
}

const char* csv::hint() const {
  return ends_abruptly() ? "; the file may be truncated" : "";
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
  const std::size_t quote = line.find('"');
  if (quote != line.npos) fail_at(line_, quote, "cells must not be quoted");
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
  std::uint32_t value = 0;
  if (parse(text(column), value)) return value;
  fail(column, fmt::format("{} is not a whole number from 0 to 4294967295{}",
                           quoted(text(column)), hint()));
}

double csv::number(std::size_t column) const {
  double value = 0;
  if (parse(text(column), value) && value >= 0 && value <= most) return value;
  fail(column, fmt::format("{} is not a number from 0 to {:g}{}",
                           quoted(text(column)), most, hint()));
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
