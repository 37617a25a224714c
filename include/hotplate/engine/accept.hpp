#pragma once

#include <algorithm>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/lookup.hpp"
#include "hotplate/engine/post_office.hpp"
#include "hotplate/engine/versions.hpp"

// How events are accepted, or refused.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline post_office::post_office(core& engine)
    : sender{this_module(),
             [](sender& self) noexcept {
               return static_cast<post_office&>(self).close();
             },
             [](sender& self, event_stats& into) noexcept {
               auto& office = static_cast<post_office&>(self);
               const lock_guard hold(office.lock_);
               into = office.counted_;
               into.dead = static_cast<std::int64_t>(office.letters_.size());
             },
             [](sender& self) noexcept {
               delete static_cast<post_office*>(&self);
             }},
      engine_(engine),
      own_(static_cast<std::size_t>(engine.config().max_event_keys)),
      store_(engine.config().events != nullptr ? *engine.config().events
                                               : own_) {
  timer_.fire = &fire;
  timer_.target = this;
}

// Two threads may make one each; the second one's never was in use.
inline post_office& post_office::of(core& engine) {
  sender* known = engine.sender_.load(std::memory_order_acquire);
  if (known != nullptr) return static_cast<post_office&>(*known);
  auto made = make_owned<post_office>(engine);
  made->adopt();
  // seq_cst: pairs with core::stop_sending().
  if (!engine.sender_.compare_exchange_strong(known, made.get(),
                                              std::memory_order_seq_cst)) {
    return static_cast<post_office&>(*known);
  }
  post_office& office = *made.release();
  if (office.is_draining()) office.close();
  const lock_guard hold(office.lock_);
  office.arm();
  return office;
}

inline outcome<event_id> post_office::send(std::string_view name,
                                           payload_view event,
                                           const send_options& options) try {
  const version_record* const version = version_of(name, 0);
  if (failure why = object_to(name, version, event, options)) {
    return refuse(std::move(why), event.size());
  }
  auto made = make_owned<stored_event>();
  made->function = name;
  made->event = event.text();
  made->tenant = options.tenant;
  made->trace = options.trace.empty() ? trace_here() : options.trace;
  made->trigger = options.trigger;
  made->first_sent = made->sent = engine_.now();
  if (!options.key.empty()) {
    made->key = sentence({qualified_name(name).name, ":", options.key});
    made->key_until = made->sent + version->config.retry.max_age;
    event_id first = store_.find(made->key, made->sent);
    if (first != 0) return accepted(first, true, event.size());
  }
  if (failure why = enter(name)) return refuse(std::move(why), event.size());
  const event_store::added added = store(*made);
  if (added.id == 0) {
    return refuse(lacks_keys(name, version->config.retry.max_age),
                  event.size());
  }
  if (!added.known) attempt(std::move(made), payload(event));
  return accepted(added.id, added.known, event.size());
} catch (const std::exception& why) {
  return refuse(make_error(engine_, errc::resource_exhausted, name,
                           sentence({"the event for function ", name,
                                     " was not kept: ", why.what()})),
                event.size());
}

// Of the handler that sends, if one does.
inline std::string_view post_office::trace_here() const noexcept {
  const worker* const here = engine_.here();
  if (here == nullptr || here->on_root() || here->running() == nullptr) {
    return {};
  }
  return static_cast<const invocation*>(here->running())->labels.trace();
}

// Has a place by now, and gives it back unless it is a new event.
inline event_store::added post_office::store(stored_event& made) {
  event_store::added added;
  try {
    added = store_.add(made);
  } catch (...) {
    give_place_back();
    throw;
  }
  if (added.id == 0 || added.known) give_place_back();
  made.id = added.id;
  made.event.clear();
  return added;
}

inline outcome<event_id> post_office::accepted(event_id id, bool known,
                                               std::size_t event_bytes) {
  {
    const lock_guard hold(lock_);
    ++(known ? counted_.known : counted_.sent);
  }
  return answer(id, event_bytes);
}

inline outcome<event_id> post_office::answer(event_id id,
                                             std::size_t event_bytes) {
  usage used;
  used.trigger = trigger::event;
  used.event_bytes = event_bytes;
  return {event_id{id}, used};
}

inline outcome<event_id> post_office::refuse(failure why,
                                             std::size_t event_bytes) {
  usage used;
  used.trigger = trigger::event;
  used.event_bytes = event_bytes;
  used.status = why->code;
  return {std::move(why), used};
}

inline const version_record* post_office::version_of(
    std::string_view name, std::uint64_t number) const noexcept {
  const found live = look_up(engine_.names(), name);
  if (live.version != nullptr) return live.version;
  const qualified_name parts(name);
  const function_record* const target = engine_.names().find(parts.name);
  if (target == nullptr || target->live() == nullptr) return nullptr;
  return target->find(parts.qualifier, number);
}

inline failure post_office::object_to(std::string_view name,
                                      const version_record* version,
                                      payload_view event,
                                      const send_options& options) const {
  const auto too_long = [&](errc code, std::string_view what, std::size_t bytes,
                            std::size_t limit) {
    return make_error(engine_, code, name,
                      sentence({"the ", what, " for function ", name, " has ",
                                bytes, " bytes, the limit is ", limit}),
                      with_limit(limit, bytes));
  };
  const engine_config& config = engine_.config();
  const std::size_t most =
      std::min(config.max_async_event_bytes, config.max_event_bytes);
  if (version == nullptr) return is_not_found(engine_, name);
  if (version->how.by_value == nullptr) {
    return make_error(
        engine_, errc::no_codec, name,
        sentence({"function ", name, " is ", readable(version->signature),
                  ", for which there is no codec"}));
  }
  if (event.size() > most) {
    return too_long(errc::event_too_large, "sent event", event.size(), most);
  }
  if (options.key.size() > longest_key) {
    return too_long(errc::bad_event, "idempotency key", options.key.size(),
                    longest_key);
  }
  if (options.tenant.size() > label_set::longest_tenant) {
    return too_long(errc::bad_event, "tenant's name", options.tenant.size(),
                    label_set::longest_tenant);
  }
  if (options.trace.size() > label_set::longest_trace) {
    return too_long(errc::bad_event, "trace context", options.trace.size(),
                    label_set::longest_trace);
  }
  return nullptr;
}

inline failure post_office::enter(std::string_view name) {
  const lock_guard hold(lock_);
  return take_place(name);
}

// Under lock_.
inline failure post_office::take_place(std::string_view name) {
  const std::int64_t most = engine_.config().max_queued_events;
  if (closed_ || is_draining()) return draining_error(name);
  if (counted_.queued >= most) {
    return make_error(
        engine_, errc::throttled, name,
        sentence({"function ", name, " is throttled: ", counted_.queued, " of ",
                  most, " sent events are queued"}),
        {.limit = most,
         .value = counted_.queued,
         .retry_after = until_one_ends()});
  }
  const auto queued = static_cast<std::size_t>(counted_.queued) + 1;
  reserve(due_, queued);
  reserve(letters_, letters_.size() + queued);
  ++counted_.queued;
  return nullptr;
}

// Under lock_. The next one that is tried again may end then; none is sooner to
// be told.
inline std::chrono::milliseconds post_office::until_one_ends() const noexcept {
  constexpr std::chrono::milliseconds least(1);
  if (due_.empty()) return least;
  const std::chrono::nanoseconds left(due_.front().when - engine_.clock_now());
  return std::max(least, std::chrono::ceil<std::chrono::milliseconds>(left));
}

inline void post_office::give_place_back() noexcept {
  const lock_guard hold(lock_);
  --counted_.queued;
}

inline failure post_office::lacks_keys(std::string_view name,
                                       std::chrono::milliseconds keeps) const {
  const std::int64_t most = engine_.config().max_event_keys;
  // By then its own would have been forgotten; others may be before.
  return make_error(engine_, errc::throttled, name,
                    sentence({"function ", name, " is throttled: all ", most,
                              " idempotency keys that may be remembered are"}),
                    {.limit = most, .value = most, .retry_after = keeps});
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
