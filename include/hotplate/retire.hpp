#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Why an instance is destroyed. A class of instances that has a member
/// `void on_retire(retire_reason) noexcept` is told, right before its
/// destructor. Where it ends because of an invocation, that one's caller has
/// been answered by then, or may be meanwhile.
enum class retire_reason : std::uint8_t {
  expired,     ///< Nobody used it for its keep-alive time.
  redeployed,  ///< Its version is neither live nor an alias's any more.
  removed,     ///< Its function or its version was removed.
  failed,      ///< Its invocation timed out, was cancelled or out of memory.
  used_up,     ///< It has served `max_uses` invocations.
  evicted,     ///< The engine's memory for instances was needed elsewhere.
  shutdown,    ///< The engine is being destroyed.
};
inline constexpr std::size_t retire_reason_count = 7;

constexpr std::string_view to_string(retire_reason why) noexcept {
  constexpr std::string_view names[retire_reason_count] = {
      "expired", "redeployed", "removed", "failed",
      "used_up", "evicted",    "shutdown"};
  return names[static_cast<std::size_t>(why)];
}

}  // namespace hotplate::inline HOTPLATE_ABI
