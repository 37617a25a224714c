#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// One settled invocation, as a meter sees it. Views end with the callback.
struct metered_invocation {
  std::string_view function;  ///< Empty if none was found.
  std::string_view tenant;
  const hotplate::usage& usage;
  const error* failure;         ///< Null if it yielded a value.
  std::string_view trace = {};  ///< invoke_options::trace, or its caller's.
};

/// A handler that goes on although its invocation has been answered, and holds
/// a thread. Views end with the callback.
struct overrun {
  std::string_view function;
  request_id id;
  std::uint32_t version = 0;
  std::chrono::nanoseconds age{0};     ///< Since the invocation arrived.
  std::chrono::nanoseconds beyond{0};  ///< Since it was answered, about 1 ms.
};

/// A host object that receives the usage of every invocation, once: of each
/// that settles after it was added and before it is removed, see
/// engine_config::meters and engine::add_meter().
/// Thread safety: called concurrently, from whichever thread settled the
/// invocation, before its caller is answered. It must neither invoke functions,
/// nor wait for anything of hotplate's, nor remove a meter: mostly that throws
/// bad_outcome, as `already_pumping`, or bad_config.
/// Errors: what a callback throws ends with it, and is counted
/// (engine_stats::meter_failures); invocation and other meters are not touched.
class meter {
 public:
  meter() = default;
  meter(const meter&) = delete;
  meter& operator=(const meter&) = delete;
  virtual ~meter() = default;

  virtual void on_invocation(const metered_invocation& call) = 0;

  /// A handler has gone on for 100 ms after its invocation was answered; called
  /// again after 1 s, 10 s and so on, while it does: for a host that wants to
  /// restart, since no handler can be killed. On the thread that looks after
  /// deadlines, which wait until it returns. Never by a host-pumped engine,
  /// where whoever would look is held up by that handler.
  virtual void on_overrun(const overrun&) {}
};

}  // namespace hotplate::inline HOTPLATE_ABI
