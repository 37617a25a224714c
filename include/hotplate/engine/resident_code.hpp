#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "hotplate/context.hpp"
#include "hotplate/module.hpp"
#include "hotplate/registry/records.hpp"
#include "hotplate/sched/task.hpp"
#include "hotplate/sched/timers.hpp"

// Why: resident.hpp.

namespace hotplate::inline HOTPLATE_ABI::detail {

class core;
struct watcher;

/// How often an engine is to call code of a shared object that belongs to no
/// function: its continuations. Kept until the engine ends.
struct module_use {
  module_id of = nullptr;
  std::atomic<std::int64_t> count = 0;
  module_use* next = nullptr;

  void enter() noexcept { count.fetch_add(1, std::memory_order_relaxed); }
  // release: pairs with core::uses_of().
  void leave() noexcept { count.fetch_sub(1, std::memory_order_release); }
};

/// The code of an engine's maker.
struct resident_code {
  /// First of all that there is in a core, for builds that differ.
  function_record& (*deploy)(core& self, std::string&& name, handler&& how,
                             const function_config& config);

  /// What runs a handler's invocation, and a continuation's.
  task handling;
  task continuing;
  task continuing_elsewhere;
  /// Refuses a continuation that must run by running it.
  void (*run_anyway)(task& self, worker& on) noexcept;
  context_host handlers_see;

  // What timers of invocations call.
  void (*end_wait)(void* call, std::uint64_t token, std::int64_t now) noexcept;
  void (*end_by_deadline)(void* call, std::uint64_t token,
                          std::int64_t now) noexcept;

  // What is called by who settles an invocation.
  void (*go_on)(watcher& by) noexcept;
  void (*ring)(watcher& by) noexcept;

  // What is called once a fiber has been left.
  void (*publish_wait)(void* note);
  void (*publish_guest)(void* parting);
  void (*yield)(void* note);
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
