#pragma once

#include <cstdint>

#include "hotplate/module.hpp"
#include "hotplate/stats.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// What sends events (post_office.hpp), and all that the core knows of it: an
/// engine that sends none, and who does not include hotplate/send.hpp, does
/// without.
struct sender {
  module_id module;  ///< Whose code this is: that of who first asked for it.
  /// Starts no more attempts; what waits for one is a dead letter. Returns how
  /// many have become one by that. May be called again.
  std::uint64_t (*close)(sender& self) noexcept;
  void (*count)(sender& self, event_stats& into) noexcept;
  void (*destroy)(sender& self) noexcept;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
