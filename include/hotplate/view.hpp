#pragma once

#include <vector>

#include "hotplate/describe.hpp"
#include "hotplate/engine/access.hpp"
#include "hotplate/stats.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// What engine tells its operator. Each figure is right at some moment of the
/// call; nothing that runs is stopped for it.
/// A template so that only files that ask compile the answers.
template <typename Engine>
class engine_view {
 public:
  engine_stats stats() const { return core().stats(); }

  /// Every function ever deployed, in order of first deployment.
  std::vector<function_stats> functions() const { return core().functions(); }

  /// Functions, versions, instances, limits and tenants, as they are now.
  engine_info describe() const { return core().describe(); }

  /// Invocations that have not ended, overruns included. Takes no lock.
  std::vector<invocation_info> in_flight() const {
    return core().list_in_flight();
  }

  /// Tenants that have been seen lately, or have a limit of their own.
  std::vector<tenant_stats> tenants() const { return core().list_tenants(); }

 private:
  // Dependent, so that nothing is compiled before it is asked for.
  auto& core() const noexcept {
    return detail::access::core_of(static_cast<const Engine&>(*this));
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
