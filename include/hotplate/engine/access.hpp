#pragma once

#include "hotplate/engine/core.hpp"
#include "hotplate/pending.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What stands behind the public faces, for the engine's own.
struct access {
  // A template, because engine.hpp stands above this file.
  template <typename Engine>
  static core& core_of(Engine& face) noexcept {
    return *face.core_;
  }

  /// Null if it was refused before it became an invocation.
  template <typename T>
  static invocation* invocation_of(const pending<T>& started) noexcept {
    started.check_leash();
    return started.call_;
  }
  /// The caller's side, which somebody else is then.
  template <typename T>
  static invocation& take(pending<T>& started) noexcept {
    return started.forget();
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
