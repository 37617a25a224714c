#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hotplate/base/text.hpp"
#include "hotplate/error.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Collects what is wrong, so that one exception can name all of it.
class checklist {
 public:
  template <typename T>
  void within(std::string_view field, T value, T least, T most,
              std::string_view unit) {
    if (value >= least && value <= most) return;
    problems_.push_back(sentence({field, " = ", value, " ", unit,
                                  ": allowed are ", least, " to ", most}));
  }
  void require(bool holds, std::string problem) {
    if (!holds) problems_.push_back(std::move(problem));
  }
  void pass() {
    if (!problems_.empty()) throw bad_config(std::move(problems_));
  }

 private:
  std::vector<std::string> problems_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
