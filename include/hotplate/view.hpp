#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "hotplate/describe.hpp"
#include "hotplate/engine/access.hpp"
#include "hotplate/module.hpp"
#include "hotplate/stats.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// What engine tells its operator, and its meters. Each figure is right at some
/// moment of the call; nothing that runs is stopped for it. Thread safety: all
/// members may be called from any thread. A template so that only files that
/// ask compile the answers.
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

  /// Has a meter told of every invocation that settles from now on, until it is
  /// removed or the engine ends, which it must outlive otherwise. False if it
  /// was added before and not removed. Errors: std::bad_alloc.
  /// Blocks for some 10 ms, once in a process that has threads by then.
  bool add_meter(meter& added) { return core().add_meter(added); }

  /// Ends that: blocks until no callback of it is running, so that it may be
  /// destroyed then. False if it is not there. Errors: bad_config when called
  /// by a meter's callback, which would wait for itself.
  bool remove_meter(meter& gone) { return core().remove_meter(gone); }

  /// Tenants that have been seen lately, or have a limit of their own.
  std::vector<tenant_stats> tenants() const { return core().list_tenants(); }

  /// When a shared object can be unloaded: waits until nothing of it is left in
  /// the engine, and returns what is still left after `within`, a sentence
  /// each; if that is nothing, it can be. Its functions have to be removed
  /// first, and those versions of other functions that it has deployed
  /// (name:3): while one is not, this returns at once. Handlers that it has
  /// deployed, with what they captured, are destroyed by the calling thread,
  /// and their keep-alive policies given up.
  ///
  /// Looks at functions, their invocations and instances, and at continuations
  /// (then(), coroutines) that code of the shared object has made. Not known to
  /// the engine, and to be ended by the shared object itself: threads of its
  /// own, pendings, channels and their like, and what it has handed to others:
  /// arguments, results, policies of their functions, copies of its policies in
  /// what describe() and functions() returned. Built with default visibility,
  /// what it does in inline functions and templates of its own that the host
  /// has as well may count as the host's. Who sends the first event, or is the
  /// first to ask for dead letters, stays in use until the engine ends: let
  /// that be the host. Blocks; not for handlers.
  std::vector<std::string> drain(module_id of,
                                 std::chrono::nanoseconds within) {
    return core().drain(of, within);
  }

 private:
  // Dependent, so that nothing is compiled before it is asked for.
  auto& core() const noexcept {
    return detail::access::core_of(static_cast<const Engine&>(*this));
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
