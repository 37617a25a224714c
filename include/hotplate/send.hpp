#pragma once

#include <string_view>
#include <vector>

#include "hotplate/delivery.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/engine/access.hpp"
#include "hotplate/engine/letters.hpp"
#include "hotplate/engine/post_office.hpp"
#include "hotplate/event_store.hpp"
#include "hotplate/events.hpp"

// Asynchronous events: engine::send() and what goes with it. Not part of
// hotplate.hpp: who sends none does not pay for it.
//
// Each attempt is an ordinary invocation, admitted, metered and billed as such;
// its usage tells trigger and attempt. It has the function's timeout, and
// neither caller nor deadline besides. The first starts at once, the next ones
// by timers of the engine, which run_for() and run_until_idle() drive.
//
// What the end of an attempt means for its event:
//   a value                          succeeded: to on_success, or forgotten
//   function_threw, init_failed,     one attempt is used up; tried again after
//   timed_out, out_of_memory,        a back-off
//   response_too_large, cancelled
//   throttled, resource_exhausted,   tried again after a back-off, uses up none
//   timed_out before init
//   not_found, bad_event, no_codec,  failed: nothing would change
//   event_too_large
//   draining                         failed, as the engine ends
// An event that failed goes to on_failure if that is deployed, else it is a
// dead letter. A delivery to a destination is an event of that function like
// any other, and a 17th in a row is a dead letter. What a function is
// configured to do is read from the version live at that moment.
//
// drain() and the destructor start no more attempts: what was to be tried again
// is a dead letter (`draining`), and drain_report tells how many. The engine's
// own memory of events ends with the engine; a host's event_store keeps them.
//
// Errors of send() and replay(), as outcomes: not_found, no_codec,
// event_too_large, bad_event (key, tenant or trace too long), throttled (queue
// or keys full), resource_exhausted, draining, engine_unusable. Neither waits,
// but for the event_store. Thread safety: all may be called from any thread,
// and in handlers. Lifetime: what sends is code of the shared object that calls
// one of these first, and stays in use until the engine ends
// (engine_view::drain).

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

template <typename Engine>
bool is_forked(event_sender<Engine>& face) noexcept {
  return access::core_of(static_cast<Engine&>(face)).is_forked();
}
template <typename Engine>
failure unusable_error(event_sender<Engine>& face,
                       std::string_view name = {}) noexcept {
  return is_unusable(access::core_of(static_cast<Engine&>(face)), name);
}
/// Before an office is asked for, which a child could neither make nor lock.
inline outcome<event_id> unusable_sender(failure why, std::size_t bytes = 0) {
  usage used;
  used.trigger = trigger::event;
  used.event_bytes = bytes;
  used.status = why->code;
  return {std::move(why), used};
}

template <typename Engine>
post_office& office_of(event_sender<Engine>& face) {
  return post_office::of(access::core_of(static_cast<Engine&>(face)));
}

}  // namespace detail

template <typename Engine>
outcome<event_id> event_sender<Engine>::send(std::string_view name,
                                             payload_view event,
                                             const send_options& options) {
  if (detail::is_forked(*this)) {
    return detail::unusable_sender(detail::unusable_error(*this, name),
                                   event.size());
  }
  return detail::office_of<Engine>(*this).send(name, event, options);
}

template <typename Engine>
std::vector<dead_letter> event_sender<Engine>::dead_letters() {
  if (detail::is_forked(*this)) return {};
  return detail::office_of<Engine>(*this).letters();
}

template <typename Engine>
outcome<event_id> event_sender<Engine>::replay(event_id id) {
  if (detail::is_forked(*this)) {
    return detail::unusable_sender(detail::unusable_error(*this));
  }
  return detail::office_of<Engine>(*this).replay(id);
}

template <typename Engine>
bool event_sender<Engine>::drop(event_id id) {
  return !detail::is_forked(*this) && detail::office_of<Engine>(*this).drop(id);
}

}  // namespace hotplate::inline HOTPLATE_ABI
