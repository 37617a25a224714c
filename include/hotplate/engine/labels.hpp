#pragma once

#include <cstddef>
#include <new>
#include <string_view>

#include "hotplate/base/assert.hpp"
#include "hotplate/base/kept_text.hpp"
#include "hotplate/base/owned.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Whom an invocation is for and which trace it is part of, copied from its
/// caller's views: not into the arena, which is gone when meters are told, and
/// whose peak is the handler's. What is too long is cut, and refused later.
/// Room for the copies is made at their first use and stays: few need it.
/// Thread safety: none.
class label_set {
 public:
  static constexpr std::size_t longest_tenant = 64;
  static constexpr std::size_t longest_trace = 128;

  /// A new invocation has none.
  void clear() noexcept { any_ = false; }

  HOTPLATE_NOINLINE void keep(std::string_view tenant,
                              std::string_view trace) noexcept {
    any_ = true;
    if (room_ == nullptr) room_.reset(new (std::nothrow) room);
    if (room_ != nullptr) *room_ = {tenant, trace};
  }

  /// Instead of none.
  void inherit(std::string_view trace) noexcept {
    if (!any_) return keep({}, trace);
    if (room_ != nullptr) room_->trace = trace;
  }

  bool any() const noexcept { return any_; }
  /// There was no memory for them.
  bool lost() const noexcept { return any_ && room_ == nullptr; }

  std::string_view tenant() const noexcept {
    if (!any_ || room_ == nullptr) return {};
    return room_->tenant;
  }
  std::string_view trace() const noexcept {
    if (!any_ || room_ == nullptr) return {};
    return room_->trace;
  }

  /// As given, before they were cut.
  std::size_t tenant_bytes() const noexcept { return room_->tenant.given(); }
  std::size_t trace_bytes() const noexcept { return room_->trace.given(); }

 private:
  struct room {
    kept_text<longest_tenant> tenant;
    kept_text<longest_trace> trace;
  };

  bool any_ = false;
  owned<room> room_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
