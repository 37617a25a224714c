#pragma once

#include <sys/random.h>

#include <string>
#include <utility>
#include <vector>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/checklist.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

inline void check_events(checklist& list, const engine_config& config) {
  constexpr std::int64_t many = std::int64_t{1} << 40;
  list.within<std::int64_t>("max_queued_events", config.max_queued_events, 0,
                            many, "events");
  list.within<std::int64_t>("max_dead_letters", config.max_dead_letters, 0,
                            many, "letters");
  list.within<std::int64_t>("max_event_keys", config.max_event_keys, 0, many,
                            "keys");
}

inline constexpr std::uint32_t least_memory = 128;  // Of a function, in MiB.

inline engine_config checked(engine_config config) {
  constexpr std::int64_t many = std::int64_t{1} << 40;
  if (config.workers == engine_config::hardware_threads) {
    config.workers =
        static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  }
  checklist list;
  list.within("workers", config.workers, 0, 1024, "threads");
  list.within<std::int64_t>("max_concurrency", config.max_concurrency, 1, many,
                            "invocations");
  list.within<std::int64_t>("max_concurrency_per_tenant",
                            config.max_concurrency_per_tenant, 0, many,
                            "invocations");
  list.within<std::int64_t>("max_tenants", config.max_tenants, 1, many,
                            "tenants");
  list.within("max_spare_threads", config.max_spare_threads, 0, 1024,
              "threads");
  list.within("max_blocking_threads", config.max_blocking_threads, 1, 1024,
              "threads");
  list.within("max_guest_threads", config.max_guest_threads, 1, 1024,
              "threads");
  list.require(!config.name.empty() && config.name.size() <= 9,
               sentence({"name = \"", shown(config.name),
                         "\": allowed are 1 to 9 characters"}));
  list.require(config.name.find('\0') == std::string::npos,
               sentence({"name = \"", shown(config.name),
                         "\": a thread's name ends at its first NUL"}));
  list.within("least_log_level", static_cast<int>(config.least_log_level), 0,
              static_cast<int>(log_level::error),
              "(debug 0, info 1, warning 2, error 3)");
  list.within<std::size_t>("max_held_response_bytes",
                           config.max_held_response_bytes, 0,
                           std::size_t{1} << 50, "bytes");
  list.require(config.instance_memory.count == 0 ||
                   config.instance_memory.count >= least_memory,
               sentence({"instance_memory = ", config.instance_memory.count,
                         " MiB: allowed are 0, for any, and ", least_memory,
                         " or more"}));
  check_events(list, config);
  list.within<std::int64_t>("spin", config.spin.count(), 0, 1'000'000, "us");
  list.require(config.clock == nullptr || config.workers == 0,
               "clock: a manual clock needs workers = 0");
  for (const meter* const each : config.meters) {
    list.require(each != nullptr, "meters: one of them is null");
  }
  list.pass();
  return config;
}

inline void check(std::string_view name, const handler& how,
                  const function_config& config) {
  checklist list;
  list.require(is_function_name(name),
               sentence({"name = \"", shown(name),
                         "\": allowed are 1 to 64 of A-Z a-z 0-9 - _"}));
  list.require(!how.is_null,
               "handler = null: expected a function, or what can be called");
  list.within("memory", config.memory.count, least_memory, 10'240U, "MiB");
  list.within<std::int64_t>("timeout", config.timeout.count(), 1, 900'000,
                            "ms");
  list.within<std::int64_t>("max_concurrency", config.max_concurrency, 1,
                            std::int64_t{1} << 40, "invocations");
  list.within<std::int64_t>("reserved_concurrency", config.reserved_concurrency,
                            function_config::without_reservation,
                            std::int64_t{1} << 40, "invocations");
  list.within<std::int64_t>("max_waiting", config.max_waiting, 0,
                            std::int64_t{1} << 40, "invocations");
  list.within<std::int64_t>("keep_alive", config.keep_alive.count(), 0,
                            std::int64_t{365} * 86'400'000, "ms");
  check_instances(list, how, config);
  std::size_t environment_bytes = 0;
  for (const auto& [key, value] : config.environment) {
    list.require(!key.empty(), "environment: a name is empty");
    environment_bytes += key.size() + value.size();
  }
  list.within<std::size_t>("environment", environment_bytes, 0, 4096, "bytes");
  list.within("stack_bytes", config.stack_bytes, stack_pool::smallest,
              stack_pool::largest, "bytes");
  list.require(config.affinity == affinity::worker || !config.blocking,
               "affinity = any: a blocking function runs on a thread of its "
               "own, where it stays");
  list.within("affinity", static_cast<int>(config.affinity), 0,
              static_cast<int>(affinity::any), "(worker 0, any 1)");
  check_retry(list, config);
  list.pass();
}

inline std::uint64_t random_identity() {
  std::uint64_t drawn = 0;
  if (getentropy(&drawn, sizeof drawn) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "hotplate: no entropy for an engine's identity");
  }
  return drawn;
}

inline thread_config threads_of(const engine_config& config,
                                chunk_source& chunks) {
  return {.workers = static_cast<std::size_t>(config.workers),
          .spin = std::chrono::nanoseconds(config.spin).count(),
          .spares = static_cast<std::size_t>(config.max_spare_threads),
          .guests = static_cast<std::size_t>(config.max_guest_threads),
          .blocking = static_cast<std::size_t>(config.max_blocking_threads),
          .name = config.name,
          .pinned = config.pin_workers,
          .overflows = config.overflows,
          .chunks = &chunks};
}

inline core::core(engine_config config)
    : code_(resident()),
      config_(checked(std::move(config))),
      identity_(random_identity()),
      time_(config_.clock),
      chunks_(config_.max_held_response_bytes, config_.workers != 0),
      limit_(config_.max_concurrency),
      tenants_(config_.max_concurrency_per_tenant, config_.max_tenants),
      threads_(time_, threads_of(config_, *chunks_)),
      budget_(config_.instance_memory.count),
      rooms_(*chunks_, threads_.size()),
      meters_(threads_.indices()),
      overruns_seen_(threads_.indices()),
      records_(*this, code_, threads_.indices()),
      names_(version_watcher()) {
  for (hotplate::meter* const each : config_.meters) meters_.add(*each);
  records_.use(threads_.timers());
  threads_.tell_of_looks(&give_cache, this);
  threads_.start(&inspect, this);
}

inline fiber_kind core::fibers_for(deployed_function& target,
                                   const function_config& config) {
  if (config.blocking && !threads_.pumped()) return {no_stack};
  const bool moves = config.affinity == affinity::any && !threads_.pumped();
  return {stacks_for(target, config), moves};
}

inline std::uint8_t core::stacks_for(deployed_function& target,
                                     const function_config& config) {
  const std::uint8_t common = stack_pool::class_of(config.stack_bytes);
  if (!config.measure_stack) return common;
  std::uint8_t& own = target.own_stacks[common];
  if (own == 0) own = threads_.stacks().dedicate(config.stack_bytes);
  if (own != 0) return own;
  throw bad_config({sentence(
      {"measure_stack: allowed for ", stack_pool::most_dedicated,
       " functions, once more for each other stack_bytes of a function"})});
}

// Nothing but the stamp may be read before it is known to be ours.
inline void check_build(const build_stamp& deploying) {
  constexpr build_stamp own = this_build(sizeof(handler));
  if (deploying == own) return;
  const auto name = [](const build_stamp& build) {
    return sentence({"hotplate ", build.version / 10'000, ".",
                     build.version / 100 % 100, ".", build.version % 100, " (",
                     build.abi, ", handlers of ", build.bytes, " bytes)"});
  };
  throw bad_config(
      {sentence({"deploy: the shared object that deploys was built with ",
                 name(deploying), ", the one that made the engine with ",
                 name(own), "; build both with the same"})});
}

inline void core::refuse_in_child() const {
  if (is_forked()) throw bad_config({is_unusable(*this)->message});
}

inline function_record& core::deploy_here(core& self, std::string&& name,
                                          handler&& how,
                                          const function_config& config) {
  check_build(how.build);
  self.refuse_in_child();
  check(name, how, config);
  check_memory(config, self.config_.instance_memory);
  function_record& target = self.names_.enter(name, [&] {
    return make_owned<deployed_function>(name, self.threads_.seats());
  });
  self.names_.publish(target, *how.signature, [&](std::uint32_t number) {
    auto& function = static_cast<deployed_function&>(target);
    const fiber_kind fibers = self.fibers_for(function, config);
    if (!self.threads_.timers().expect(instance_pool::timers) ||
        !self.budget_.expect_pool()) {
      throw std::bad_alloc();
    }
    auto made = make_owned<deployed_version>(
        number, config, std::move(how), target.name, fibers, self.threads_,
        self.time_, self.budget_, self.ends_, self.rooms_);
    self.reserve(function, config);
    return made;
  });
  return target;
}

inline engine_stats core::stats() const {
  engine_stats sum;
  if (is_forked()) return sum;
  names_.for_each([&](const function_record& each) {
    function_stats counted;
    static_cast<const deployed_function&>(each).meter.read_into(counted);
    sum.invocations += counted.invocations();
  });
  sum.not_found = not_found_.load(std::memory_order_relaxed);
  sum.invocations += sum.not_found;
  sum.in_flight = limit_.inside() + reserved_.inside();
  sum.peak_in_flight = limit_.peak() + reserved_.peak();
  sum.waiting = room_.size();
  sum.overruns = overruns_.load(std::memory_order_relaxed);
  sum.overrun =
      std::chrono::nanoseconds(overrun_ns_.load(std::memory_order_relaxed));
  sum.meter_failures = meters_.failures();
  sum.log_failures = log_failures_.load(std::memory_order_relaxed);
  sum.spare_threads = threads_.spare_threads().running();
  sum.spare_threads_started = threads_.spare_threads().started();
  sum.stacks = threads_.stacks().made();
  sum.arena_mapped_bytes = chunks_->mapped_bytes();
  sum.arena_growths = chunks_->growths();
  sum.held_response_bytes = chunks_->held_bytes();
  sum.instance_memory = in_mebibytes(budget_.used());
  sum.instance_memory_peak = in_mebibytes(budget_.peak());
  sum.evictions = budget_.evictions();
  sender* const events = sender_.load(std::memory_order_acquire);
  if (events != nullptr) events->count(*events, sum.events);
  return sum;
}

template <int>
std::vector<function_stats> core::functions() const {
  std::vector<function_stats> all;
  if (is_forked()) return all;
  const std::int64_t now = time_.now();
  names_.for_each([&](const function_record& each) {
    if (!each.was_deployed()) return;
    const auto& function = static_cast<const deployed_function&>(each);
    function_stats& sum = all.emplace_back();
    sum.name = function.name;
    if (const version_record* const live = function.live()) {
      sum.version = live->number;
      sum.signature = readable(live->signature);
      sum.config = live->config;
    }
    sum.in_flight = function.limit.inside();
    sum.peak_in_flight = function.limit.peak();
    function.meter.read_into(sum);
    for (const std::uint8_t own : function.own_stacks) {
      if (own == 0) continue;
      sum.stack_peak_bytes =
          std::max(sum.stack_peak_bytes, threads_.stacks().peak(own));
    }
    registry::see_versions(each, [&](const version_record& version) {
      const auto& pool =
          static_cast<const deployed_version&>(version).instances;
      pool.see_reserved(now, [&](std::int64_t time, bool ended) {
        sum.reservations.push_back({version.number, version.config.memory.count,
                                    version.config.provisioned,
                                    std::chrono::nanoseconds(time), ended});
      });
      sum.instances += pool.live();
      sum.evicted += pool.evicted();
      sum.failed_ends += pool.failed_ends();
      sum.idle += std::chrono::nanoseconds(pool.idle(now));
    });
  });
  return all;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
