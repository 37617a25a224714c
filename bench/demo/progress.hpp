#pragma once

#include <chrono>
#include <string>

namespace demo {

/// Tells how far something is, on stderr: in one line that changes, where that
/// is a terminal, else in a line a second, and a last one when it is done.
/// What is done within a second leaves no line.
class progress {
 public:
  explicit progress(std::string what);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress();  ///< Clears the line of a terminal.

  void show(double share);

 private:
  using clock = std::chrono::steady_clock;

  bool is_due(int percent) const;

  std::string what_;
  bool terminal_;
  int shown_percent_ = -1;
  clock::time_point shown_at_ = clock::now();
};

}  // namespace demo
