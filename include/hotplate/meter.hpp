#pragma once

#include <string_view>

#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// One settled invocation, as a meter sees it. Views end with the callback.
struct metered_invocation {
  std::string_view function;  ///< Empty if none was found.
  std::string_view tenant;
  const hotplate::usage& usage;
  const error* failure;  ///< Null if it yielded a value.
  std::string_view trace = {};  ///< invoke_options::trace, or its caller's.
};

/// A host object that receives the usage of every invocation, once.
/// Thread safety: called concurrently, from whichever thread settled the
/// invocation, before its caller is answered. It must not invoke functions.
class meter {
 public:
  meter() = default;
  meter(const meter&) = delete;
  meter& operator=(const meter&) = delete;
  virtual ~meter() = default;

  virtual void on_invocation(const metered_invocation& call) noexcept = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI
