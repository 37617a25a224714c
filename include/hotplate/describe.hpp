#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/alias.hpp"
#include "hotplate/config.hpp"
#include "hotplate/source_location.hpp"
#include "hotplate/stats.hpp"
#include "hotplate/usage.hpp"

// What an operator wants to see of a running engine: engine::in_flight() and
// engine::describe(). Figures that change meanwhile are each right at some
// moment of the call.
// in_flight() takes no lock of the engine's and repeats nothing: it ends even
// if every other thread stands still. describe() holds the lock under which
// names are deployed, aliased and removed, and for moments, one after another,
// those of the waiting room, the tenants, the blocking threads and each
// version's lists of instances; a warm invocation takes none of them, and
// nobody holds one while code of the host's runs. Memory for the results is the
// heap's.

namespace hotplate::inline HOTPLATE_ABI {

/// Where an invocation that has not ended is.
enum class invocation_state : std::uint8_t {
  waiting,    ///< For a place under its limits.
  queued,     ///< For a worker.
  init,       ///< Its instance is being made.
  running,    ///< Its handler runs on a worker.
  suspended,  ///< Its handler waits, and holds no worker.
};

constexpr std::string_view to_string(invocation_state state) noexcept {
  constexpr std::string_view names[] = {"waiting", "queued", "init", "running",
                                        "suspended"};
  return names[static_cast<std::size_t>(state)];
}

/// One invocation that has not ended.
struct invocation_info {
  static constexpr int no_worker = -1;

  request_id id;
  std::string function;
  std::uint32_t version = 0;
  invocation_state state = invocation_state::queued;
  bool overrun = false;             ///< Already answered; its handler goes on.
  std::chrono::nanoseconds age{0};  ///< Since it arrived.
  /// Where it runs, or will go on: 0 to workers - 1, then spare ones, threads
  /// in invoke_here, threads of blocking functions.
  int worker = no_worker;
  /// Of one that is suspended: the line that waits; line 0 in invoke_here().
  source_location where;
};

enum class instance_state : std::uint8_t { in_use, idle };

constexpr std::string_view to_string(instance_state state) noexcept {
  return state == instance_state::idle ? "idle" : "in use";
}

struct instance_info {
  instance_state state = instance_state::in_use;
  std::chrono::nanoseconds age{0};   ///< Since it was initialised.
  std::chrono::nanoseconds idle{0};  ///< Since its last use, if it is idle.
  std::uint64_t uses = 0;            ///< Invocations that it has served.
  std::int64_t in_use = 0;           ///< Invocations that it serves now.
  std::size_t bytes = 0;  ///< Of the object; what that holds is not seen.
};

struct version_info {
  std::uint32_t number = 0;
  bool live = false;
  bool removed = false;
  std::string signature;
  /// Shares the policy, which is to be let go before its code is unloaded; null
  /// once that was drained.
  function_config config;
  std::vector<instance_info> instances;  ///< Initialised and not retired.
};

struct alias_info {
  std::string name;
  std::vector<weighted_version> versions;  ///< One or two.
};

struct function_info {
  std::string name;
  std::int64_t in_flight = 0;
  std::int64_t limit = 0;    ///< Of in_flight: its own, or what it reserved.
  std::int64_t waiting = 0;  ///< For a place.
  std::vector<version_info> versions;  ///< Oldest first.
  std::vector<alias_info> aliases;     ///< Newest first.
};

/// An engine as it is configured and filled now.
struct engine_info {
  std::string name;
  int workers = 0;
  std::size_t spare_threads = 0;
  std::size_t blocking_threads = 0;
  std::int64_t in_flight = 0;
  std::int64_t max_concurrency = 0;
  std::int64_t reserved = 0;  ///< Places of it that functions have for them.
  mebibytes instance_memory;  ///< That all instances may have; 0: any.
  mebibytes instance_memory_used;  ///< Of it, now; not counted without it.
  std::vector<function_info> functions;  ///< In order of first deployment.
  std::vector<tenant_stats> tenants;     ///< As far as they are limited.
};

}  // namespace hotplate::inline HOTPLATE_ABI
