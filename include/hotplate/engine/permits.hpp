#pragma once

#include <cstddef>
#include <limits>

#include "hotplate/base/leash.hpp"
#include "hotplate/engine/line.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A number of permits and the line of those who wait for one.
/// I1: while somebody is in line, no permit is left.
/// Thread safety: all members may be called from any thread.
class permits {
 public:
  /// `what` it is called where it is misused.
  permits(core& engine, std::size_t count, const char* what) noexcept
      : lobby_(engine), left_(count), life_(engine.leashes(), what) {}
  permits(const permits&) = delete;
  permits& operator=(const permits&) = delete;
  ~permits() {
    life_.end([this] { return lobby_.awaited(line_); });
  }

  core& engine() const noexcept {
    life_.check_use();
    return lobby_.engine();
  }

  /// False at `until`, or where a handler that is over may not throw; with
  /// `forever`, it then waits on. Throws invocation_cancelled, bad_outcome.
  bool take(std::int64_t until, const source_location& where) {
    engine().throw_if_forked();
    worker* const here = engine().here_or_throw(where);
    guest self;
    {
      const lock_guard hold(lobby_.guard());
      if (take_one()) return true;
      line_.join(self);
    }
    return lobby_.stand(line_, self, here, until, until == forever) != 0;
  }

  bool try_take() noexcept {
    if (engine().is_forked()) return false;
    const lock_guard hold(lobby_.guard());
    return take_one();
  }

  /// The first in line, if any, has it when this returns.
  void give() noexcept {
    if (engine().is_forked()) return;
    summons next;
    {
      const lock_guard hold(lobby_.guard());
      if (line_.empty()) {
        if (left_ != std::numeric_limits<std::size_t>::max()) ++left_;
      } else {
        next = lobby_.serve_first(line_);
      }
    }
    lobby::deliver(next);
  }

 private:
  bool take_one() noexcept {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  lobby lobby_;
  line line_;
  std::size_t left_;  // Under the lobby's guard, as the line.
  [[no_unique_address]] leashed life_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
