#pragma once

#include <string>

namespace demo {

/// Tells how far something is, on stderr: in one line that changes, where that
/// is a terminal, else in a line at every tenth.
class progress {
 public:
  explicit progress(std::string what);
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;
  ~progress();  ///< Clears the line.

  void show(double share);

 private:
  std::string what_;
  bool terminal_;
  int shown_percent_ = -1;
};

}  // namespace demo
