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
  const int step = terminal_ ? 1 : 10;
  const int percent = static_cast<int>(share * 100) / step * step;
  if (percent <= shown_percent_) return;
  shown_percent_ = percent;
  const std::string line = fmt::format("{} {} %", what_, percent);
  // Not fmt::print, which throws when stderr is closed.
  std::fputs(((terminal_ ? "\r" : "") + line + (terminal_ ? "" : "\n")).c_str(),
             stderr);
  std::fflush(stderr);
}

}  // namespace demo
