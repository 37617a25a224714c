#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/log.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The last lines that an invocation has logged.
/// Thread safety: all members may be called from any thread: one that settles
/// early takes them while the handler goes on.
class log_tail {
 public:
  void append(log_level level, std::string_view text) {
    const lock_guard hold(lock_);
    if (!lines_) lines_ = make_owned<std::string>();
    lines_->append(to_string(level)).append(": ").append(text).append("\n");
    if (lines_->size() > most) lines_->erase(0, lines_->size() - most);
  }

  owned<std::string> take() noexcept {
    const lock_guard hold(lock_);
    return std::move(lines_);
  }

 private:
  static constexpr std::size_t most = 4096;

  lock lock_;
  owned<std::string> lines_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
