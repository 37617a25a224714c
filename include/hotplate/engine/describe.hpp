#pragma once

#include <algorithm>
#include <atomic>

#include "hotplate/describe.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/glimpse.hpp"

// What an operator sees. Nothing here stops, or waits for, an invocation.

namespace hotplate::inline HOTPLATE_ABI::detail {

template <int>
std::vector<invocation_info> core::list_in_flight() {
  std::vector<invocation_info> list;
  if (is_forked()) return list;
  const std::int64_t now = time_.now();
  records_.for_each([&](invocation& call) {
    const std::uint64_t state = call.state.load(std::memory_order_acquire);
    if ((state & invocation::ended) != 0) return;
    const glimpse seen(call);
    if (seen.still_is(call, state >> invocation::generation_shift)) {
      list.push_back(info_of(call, seen, state, now));
    }
  });
  return list;
}

template <int>
invocation_info core::info_of(const invocation& call, const glimpse& seen,
                              std::uint64_t state, std::int64_t now) {
  invocation_info made;
  made.id = {identity_, (std::uint64_t{call.slot} << 32) |
                            (state >> invocation::generation_shift)};
  made.function = seen.target->name;
  made.version = seen.version->number;
  made.state = seen.state();
  made.overrun = (state & invocation::settled) != 0;
  made.age = std::chrono::nanoseconds(seen.age(now));
  if (made.state == invocation_state::suspended) {
    made.where = seen.where;
    made.worker = worker_of_child(seen);
    // Its fiber may have ended meanwhile, and its memory be given back.
    const worker* const home = seen.on != nullptr ? seen.on->home() : nullptr;
    if (made.worker < 0 && home != nullptr) {
      made.worker = static_cast<int>(home->index());
    }
  } else if (seen.started) {
    made.worker = worker_running(call);
  }
  return made;
}

/// Who waits for a child that it calls directly waits where that one is.
inline int core::worker_of_child(const glimpse& seen) const noexcept {
  const invocation* child = seen.child;
  int found = invocation_info::no_worker;
  for (int depth = 0; child != nullptr && depth < 1'000; ++depth) {
    found = worker_running(*child);
    if (found >= 0) return found;
    child = child->awaited.load(std::memory_order_relaxed);
  }
  return found;
}

inline int core::worker_running(const invocation& call) const noexcept {
  for (std::size_t i = 0; i < threads_.indices(); ++i) {
    const worker* const one = threads_.at(i);
    if (one != nullptr && one->running() == &call) return static_cast<int>(i);
  }
  return invocation_info::no_worker;
}

template <int>
engine_info core::describe() const {
  engine_info all;
  all.name = config_.name;
  all.workers = config_.workers;
  if (is_forked()) return all;
  all.blocking_threads = threads_.blocking().running();
  all.spare_threads = threads_.spare_threads().running();
  all.in_flight = limit_.inside() + reserved_.inside();
  all.max_concurrency = config_.max_concurrency;
  all.reserved = reserved_.limit();
  all.instance_memory = config_.instance_memory;
  all.instance_memory_used = in_mebibytes(budget_.used());
  all.tenants = list_tenants();
  const std::int64_t now = time_.now();
  names_.for_each([&](const function_record& each) {
    if (!each.was_deployed()) return;
    all.functions.push_back(
        info_of(static_cast<const deployed_function&>(each), now));
  });
  return all;
}

template <int>
function_info core::info_of(const deployed_function& function,
                            std::int64_t now) const {
  function_info made;
  made.name = function.name;
  made.in_flight = function.limit.inside();
  made.limit = function.limit.limit();
  made.waiting = room_.size_of(function.line);
  const version_record* const live = function.live();
  registry::see_versions(function, [&](const version_record& version) {
    const auto& deployed = static_cast<const deployed_version&>(version);
    made.versions.push_back({version.number, &version == live,
                             version.removed(), readable(version.signature),
                             version.config, deployed.instances.list(now)});
  });
  for (const alias_record* each = function.aliases(); each != nullptr;
       each = each->next) {
    const alias_record::route to = each->read();
    if (to.first == nullptr) continue;
    alias_info& alias = made.aliases.emplace_back();
    alias.name = each->name;
    alias.versions.push_back({to.first->number, 1 - to.second_share});
    if (to.second != nullptr) {
      alias.versions.push_back({to.second->number, to.second_share});
    }
  }
  return made;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
