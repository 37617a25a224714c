#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace trace {

/// Says FILE:LINE:COLUMN: what is wrong and what was expected. The column is
/// where in its line the cell starts, in bytes from 1.
class trace_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A comma-separated file without quoting, read strictly: columns are found by
/// name, and every row has as many cells as the header. Lines end in LF or
/// CRLF; the last one may lack its end, see ends_abruptly(). A byte order mark
/// before the header is skipped.
/// Errors: every member throws trace_error.
class csv {
 public:
  /// Larger files and numbers are refused: no day of traffic needs them.
  static constexpr std::size_t most_bytes = std::size_t{512} << 20;
  static constexpr double most = 1e12;

  /// Reads the file and its header.
  explicit csv(const std::filesystem::path& path);
  csv(const csv&) = delete;  // Cells point into it.
  csv& operator=(const csv&) = delete;

  // Where a column of that name is.
  bool has(std::string_view name) const { return names_.contains(name); }
  std::size_t column(std::string_view name) const;

  /// Reads the next row; false at the end.
  bool next();

  // The cells of the row, by column.
  std::string_view text(std::size_t column) const;  ///< Not empty.
  std::uint32_t count(std::size_t column) const;    ///< Whole, 0 or more.
  double number(std::size_t column) const;          ///< 0 to `most`.

  [[noreturn]] void fail(std::size_t column, const std::string& what) const;
  /// At the first line after the last.
  [[noreturn]] void fail_at_end(const std::string& what) const;

  /// Whether the last line lacked its end: the file may have been cut off
  /// within its last number, which nobody can tell.
  bool ends_abruptly() const;
  std::size_t line() const { return line_; }

 private:
  struct cell {
    std::string_view text;
    std::size_t offset = 0;  // In its line.
  };

  void read_all(const std::filesystem::path& path);
  void read_header();
  bool split_line();
  [[noreturn]] void fail_for_width() const;
  const char* hint() const;  // For what the end of the file may explain.
  [[noreturn]] void fail_at(std::size_t line, std::size_t offset,
                            const std::string& what) const;

  std::string path_;
  std::string content_;
  std::size_t at_ = 0;
  std::size_t line_ = 0;
  std::vector<cell> cells_;
  std::size_t width_ = 0;
  std::unordered_map<std::string_view, std::size_t> names_;
};

}  // namespace trace
