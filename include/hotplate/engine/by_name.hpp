#pragma once

#include "hotplate/engine/typed.hpp"

// Calls by name: bytes in, bytes out.

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

template <bool Borrows = false, typename Event>
invocation* prepare_encoded(core& engine, std::string_view name, Event& event,
                            const invoke_options& options, worker* here) {
  found target = look_up(engine.names(), name);
  if (target.version != nullptr) [[likely]]
    fetch(target);
  invocation* const call =
      engine.open(target.function, target.version, options, here);
  if (call == nullptr) return nullptr;
  call->is.encoded = true;
  if (target.version == nullptr) [[unlikely]] {
    target.version = engine.aim_qualified(*call, name);
    if (target.version == nullptr) return call;
  }
  if (here != nullptr && here->seat() != worker::no_seat) {
    fetch_own(*call, here->seat());
  }
  const call_shape* const shape = encoded_shape_of<Event>(*target.version);
  call->event_bytes = event.size();
  call->thrown = object_to_event(*call, shape, engine.config());
  if (call->thrown) return call;
  fill<Event, payload>(*call, *shape, engine.chunks(), [&] {
    if constexpr (Borrows) {
      if (stays(engine, here)) {
        new (call->args) Event(event);
        return;
      }
    }
    new (call->args) Event(keep<Event>(call->memory, event));
  });
  return call;
}

inline outcome<payload> invoke_encoded_here(core& engine, std::string_view name,
                                            payload_view event,
                                            const invoke_options& options) {
  worker* here = engine.here_or_throw({});
  const guest_place own(engine, here);
  invocation* const call =
      prepare_encoded<true>(engine, name, event, options, here);
  if (call == nullptr) return no_record<payload>(engine, name);
  here = engine.invoke_here(*call, here, options.stop);
  return take_outcome<payload>(engine, *call, here);
}

template <typename Event>
outcome<payload> invoke_encoded(core& engine, std::string_view name,
                                Event event, const invoke_options& options,
                                worker* here) {
  invocation* const call = prepare_encoded(engine, name, event, options, here);
  if (call == nullptr) return no_record<payload>(engine, name);
  if (options.stop.stop_possible()) {
    here = engine.invoke(*call, here, options.stop);
  } else {
    here = engine.invoke(*call, here);
  }
  return take_outcome<payload>(engine, *call, here);
}

template <typename Event>
pending<payload> start_encoded(core& engine, std::string_view name, Event event,
                               const invoke_options& options) {
  worker* const here = engine.here_or_throw({});
  invocation* const call = prepare_encoded(engine, name, event, options, here);
  if (call == nullptr)
    return pending<payload>(no_record<payload>(engine, name));
  engine.start(*call, here);
  return pending<payload>(*call);
}

inline outcome<payload> handler_view::invoke(void* self, std::string_view name,
                                             payload_view event,
                                             const invoke_options& options) {
  core& engine = *seen(self).engine;
  worker* const here = engine.here();
  engine.throw_where_over(here);
  return invoke_encoded(engine, name, event, options, here);
}

}  // namespace detail

}  // namespace hotplate::inline HOTPLATE_ABI
