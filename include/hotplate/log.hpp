#pragma once

#include <cstdint>
#include <string_view>

#include "hotplate/clock.hpp"
#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI {

enum class log_level : std::uint8_t { debug, info, warning, error };

constexpr std::string_view to_string(log_level level) noexcept {
  constexpr std::string_view names[] = {"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

/// What a handler has said. Views end with the callback.
struct log_line {
  request_id id;
  std::string_view function;
  log_level level = log_level::info;
  time_point at;
  std::string_view text;  ///< At most `longest_log_line` bytes.
};

/// A longer one is cut.
inline constexpr std::size_t longest_log_line = 4096;

/// A host object that receives what handlers log.
/// Thread safety: called concurrently, on the handler's thread, in the order in
/// which one handler logs. It must not invoke functions.
/// Errors: what it throws is counted (engine_stats::log_failures); the handler
/// goes on.
class log_sink {
 public:
  log_sink() = default;
  log_sink(const log_sink&) = delete;
  log_sink& operator=(const log_sink&) = delete;
  virtual ~log_sink() = default;

  virtual void on_log(const log_line& line) = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI
