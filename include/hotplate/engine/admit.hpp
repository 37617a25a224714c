#pragma once

#include <algorithm>

#include "hotplate/engine/checklist.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

// Places: who gets one, who waits for one, who has some of his own.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Who asks for places.
struct core::seat {
  const detail::worker* here;
  const scheduler& threads;

  std::size_t worker() const noexcept {
    return here == nullptr ? no_seat::worker() : here->seat();
  }
  std::size_t workers() const noexcept { return threads.seats(); }
};

// Null if the invocation has its places now; else the gate that is full.
HOTPLATE_INLINE const gate* core::enter(invocation& call,
                                        worker* here) noexcept {
  gate& places = *call.target->places.load(std::memory_order_relaxed);
  if (tenants_.limited() && !call.labels.tenant().empty()) [[unlikely]] {
    return enter_with_tenant(call, places, here);
  }
  return call.permit.enter(places, call.target->limit, seat{here, threads_});
}

HOTPLATE_NOINLINE inline const gate* core::enter_with_tenant(
    invocation& call, gate& places, worker* here) noexcept {
  return tenants_.with(call.labels.tenant(), [&](gate& tenant) {
    return call.permit.enter_with(tenant, places, call.target->limit,
                                  seat{here, threads_});
  });
}

HOTPLATE_INLINE void core::give_place_back(invocation& call,
                                           worker* here) noexcept {
  call.permit.give_back(seat{here, threads_});
  if (room_.anybody()) [[unlikely]]
    call_in(here);
}

// Of one settled before its end. Whoever comes second, of those who end it and
// who settle it, gives its place back: who sees nothing in flight finds that
// everything has ended, and is counted.
HOTPLATE_NOINLINE inline void core::share_place_back(invocation& call,
                                                     worker* here) noexcept {
  const std::uint64_t before =
      call.state.fetch_or(invocation::half_over, std::memory_order_acq_rel);
  if ((before & invocation::half_over) != 0) give_place_back(call, here);
}

// No place now: wait for one, if the function wants that.
HOTPLATE_NOINLINE inline core::admission core::line_up(
    invocation& call, worker* here, const gate& full) noexcept {
  if (is_gone(call)) return shut_out(call);
  if (&full == &tenants_.unknown()) {
    refuse(call, is_out_of_memory(call, "to know its tenant"));
    return admission::refused;
  }
  call.reached.store(stage::admission, std::memory_order_relaxed);
  const std::int64_t most = call.version->config.max_waiting;
  if (most > 0) {
    call.lacks = {owner_of(full, call), full.limit()};
    // Armed before it can be called in, for then the timer is its own.
    call.limit.token = call.generation() << invocation::generation_shift;
    if (!threads_.arm(call.limit, call.deadline.load(std::memory_order_relaxed),
                      timer_order::deadline)) {
      refuse(call, is_out_of_memory(call, "to let it wait"));
      return admission::refused;
    }
    if (room_.join(call.target->line, call, most)) {
      call_in(here);
      return admission::waiting;
    }
    threads_.timers().disarm(call.limit);
  }
  refuse(call, explain(call, full));
  return admission::refused;
}

// Removed since it was looked up, and its code may be gone.
HOTPLATE_NOINLINE inline core::admission core::shut_out(
    invocation& call) noexcept {
  drop_args(call);
  refuse(call, is_removed(call));
  return admission::refused;
}

// Whoever unloads code has removed its functions, and looks then for records
// that name them (unload.hpp): either this one is found, and waited for, or the
// removal is seen here.
inline bool core::is_gone(const invocation& call) noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return call.version != nullptr && call.version->removed();
}

inline void core::drop_args(invocation& call) noexcept {
  if (std::exchange(call.is.has_args, false)) call.drop_args(call.args);
}

inline scarce core::owner_of(const gate& full,
                             const invocation& call) const noexcept {
  if (&full == &tenants_.crowd()) return scarce::tenants;
  if (&full == &call.target->limit) return scarce::function;
  return &full == &limit_ || &full == &reserved_ ? scarce::engine
                                                 : scarce::tenant;
}

inline failure core::explain(const invocation& call, const gate& full) const {
  const scarce owner = owner_of(full, call);
  if (owner == scarce::tenants) return is_one_tenant_too_many(call, full);
  return is_throttled(call, full,
                      owner == scarce::function ? "of this function"
                      : owner == scarce::engine ? "of the engine"
                                                : "of this tenant");
}

// Whoever waits first, in each line, and finds a place now.
HOTPLATE_NOINLINE inline void core::call_in(worker* here) noexcept {
  waiter* called = room_.call_in([this, here](waiter& first) {
    return enter(static_cast<invocation&>(first), here) == nullptr;
  });
  while (called != nullptr) {
    auto& call = static_cast<invocation&>(*called);
    called = called->behind;
    threads_.timers().disarm(call.limit);
    send_to_worker(call, here);
  }
}

// True if it waited for a place; it has none, and gets none any more.
inline bool core::withdraw(invocation& call) noexcept {
  if (call.reached.load(std::memory_order_relaxed) != stage::admission) {
    return false;
  }
  if (!room_.withdraw(call.target->line, call)) return false;
  // Not left armed: the record's next invocation sets it without the lock.
  threads_.timers().disarm(call.limit);
  return true;
}

inline void core::limit_tenant(std::string_view tenant,
                               std::optional<std::int64_t> limit) {
  refuse_in_child();
  checklist list;
  list.require(!tenant.empty() && tenant.size() <= label_set::longest_tenant,
               sentence({"tenant = \"", shown(tenant), "\": allowed are 1 to ",
                         label_set::longest_tenant, " bytes"}));
  list.within<std::int64_t>("limit", limit.value_or(0), 0,
                            std::int64_t{1} << 40, "invocations");
  list.pass();
  limit ? tenants_.set_limit(tenant, *limit) : tenants_.drop_limit(tenant);
  if (room_.anybody()) call_in(threads_.here());
}

template <int>
std::vector<tenant_stats> core::list_tenants() const {
  std::vector<tenant_stats> all;
  if (is_forked()) return all;
  tenants_.for_each([&](const std::string& name, const gate& places) {
    all.push_back({name, places.inside(), places.peak(), places.limit()});
  });
  std::sort(all.begin(), all.end(),
            [](const tenant_stats& one, const tenant_stats& other) {
              return one.name < other.name;
            });
  return all;
}

// Gives a function the places that its configuration wants for it alone. Throws
// bad_config if there are not as many; then nothing has changed.
inline void core::reserve(deployed_function& target,
                          const function_config& config) {
  const lock_guard hold(reserving_);
  give_reservations_back();
  const bool alone =
      config.reserved_concurrency != function_config::without_reservation;
  const std::int64_t wanted = alone ? config.reserved_concurrency : 0;
  const std::int64_t sum = reserved_.limit() - target.reserved + wanted;
  checklist list;
  list.require(sum <= config_.max_concurrency,
               sentence({"reserved_concurrency = ", wanted,
                         " invocations: the engine's max_concurrency is ",
                         config_.max_concurrency, ", of which ", sum - wanted,
                         " are reserved"}));
  list.pass();
  const std::int64_t common = config_.max_concurrency - sum;
  const bool lowered = wanted > target.reserved ? limit_.try_lower(common)
                                                : reserved_.try_lower(sum);
  list.require(lowered, sentence({"reserved_concurrency = ", wanted,
                                  " invocations: too many are in flight now; "
                                  "try again when some have ended"}));
  list.pass();
  limit_.set_limit(common);
  reserved_.set_limit(sum);
  target.reserved = wanted;
  target.places.store(alone ? &reserved_ : &limit_, std::memory_order_relaxed);
  target.limit.set_limit(alone ? std::min(wanted, config.max_concurrency)
                               : config.max_concurrency);
}

// Under reserving_: of functions that were removed, once nobody is in them.
inline void core::give_reservations_back() noexcept {
  deployed_function** link = &to_give_back_;
  while (*link != nullptr) {
    if (give_reservation_back(**link)) {
      (*link)->gives_back = false;
      *link = (*link)->next_to_give_back;
    } else {
      link = &(*link)->next_to_give_back;
    }
  }
}

/// True if it has nothing to give back any more.
inline bool core::give_reservation_back(deployed_function& removed) noexcept {
  if (removed.live() != nullptr) return true;  // Deployed again.
  if (removed.limit.inside() > 0) return false;
  if (!reserved_.try_lower(reserved_.limit() - removed.reserved)) return false;
  limit_.set_limit(limit_.limit() + std::exchange(removed.reserved, 0));
  return true;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
