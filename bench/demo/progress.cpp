#include "demo/progress.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace demo {

progress::progress(std::string what)
    : what_(std::move(what)), terminal_(isatty(STDERR_FILENO) == 1) {}

progress::~progress() {
  if (terminal_ && shown_percent_ >= 0) std::fputs("\r\033[K", stderr);
}

void progress::show(double share) {
  const int percent = static_cast<int>(share * 100);
  if (percent <= shown_percent_ || !is_due(percent)) return;
  shown_percent_ = percent;
  shown_at_ = clock::now();
  // Not fmt::print, which throws when stderr is closed.
  std::fputs(fmt::format("{}{} {} %{}", terminal_ ? "\r" : "", what_, percent,
                         terminal_ ? "" : "\n")
                 .c_str(),
             stderr);
  std::fflush(stderr);
}

bool progress::is_due(int percent) const {
  const bool has_begun = shown_percent_ >= 0;
  if (terminal_ || (has_begun && percent >= 100)) return true;
  return clock::now() - shown_at_ >= std::chrono::seconds(1);
}

}  // namespace demo
