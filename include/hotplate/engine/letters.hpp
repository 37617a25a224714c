#pragma once

#include <algorithm>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/post_office.hpp"

// How events end: forgotten, delivered to a destination, or dead.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline void post_office::succeed(const stored_event& event, payload response) {
  const version_record* const version = version_of(event.function, event.id);
  if (version != nullptr && !version->config.on_success.empty()) {
    return deliver(event, version->config.on_success, response);
  }
  forget(event.id);
  const lock_guard hold(lock_);
  count_end(true);
}

inline void post_office::fail(stored_event& event, failed_because reason) {
  event.reason = reason;
  const version_record* const version = version_of(event.function, event.id);
  const bool may_go =
      version != nullptr && !version->config.on_failure.empty() &&
      reason != failed_because::draining && !is_draining() &&
      version_of(version->config.on_failure, event.id) != nullptr;
  if (!may_go) return bury(event, reason);
  deliver(event, version->config.on_failure, payload());
}

// The delivery takes the place of the event in the queue.
inline void post_office::deliver(const stored_event& of, const std::string& to,
                                 const payload& response) {
  payload bytes = codec<delivery>::encode(describe(of, response));
  auto made = make_owned<stored_event>();
  made->function = to;
  made->event = bytes.text();
  made->tenant = of.tenant;
  made->trace = of.trace;
  made->trigger = of.trigger;
  made->first_sent = made->sent = engine_.now();
  made->hops = of.hops + 1;
  made->id = store_.add(*made).id;
  made->event.clear();
  follow_up next(*this, std::move(made));
  forget(of.id);
  bool is_closed = false;
  {
    const lock_guard hold(lock_);
    count_end(of.reason == failed_because::nothing);
    ++counted_.queued;
    ++counted_.sent;
    is_closed = closed_;
  }
  if (is_closed || next.event->hops > most_hops) {
    next.event->last_error =
        is_closed
            ? sentence({"function ", to,
                        " is sent nothing more: the engine is shutting "
                        "down"})
            : sentence(
                  {"function ", to, " is not sent delivery ", next.event->hops,
                   " that follows from one event, the limit is ", most_hops});
    bury(*next.event,
         is_closed ? failed_because::draining : failed_because::too_many_hops);
    next.event.reset();
  } else {
    attempt(std::move(next.event), std::move(bytes));
  }
}

inline delivery post_office::describe(const stored_event& of,
                                      const payload& response) {
  stored_event whole;
  store_.read(of.id, whole);
  delivery made;
  made.id = of.id;
  made.function = of.function;
  made.code = to_string(of.last_code);
  made.reason = to_string(of.reason);
  made.attempts = of.attempts;
  made.message = of.last_error;
  made.event = std::move(whole.event);
  made.response_size = response.size();
  constexpr std::size_t header = 512;  // More than its lines ever take.
  const std::size_t used = header + made.message.size() + made.event.size();
  const std::size_t most = engine_.config().max_event_bytes;
  if (used <= most && response.size() <= most - used) {
    made.response = response.text();
  }
  return made;
}

inline void post_office::bury(stored_event& event, failed_because reason) {
  event.reason = reason;
  store_.update(event);
  event_id oldest = 0;
  {
    const lock_guard hold(lock_);
    count_end(false);
    undelivered_ += reason == failed_because::draining ? 1 : 0;
    letters_.push_back(event.id);  // There is room (I2).
    const auto most =
        static_cast<std::size_t>(engine_.config().max_dead_letters);
    if (letters_.size() > most) {
      oldest = letters_.front();
      letters_.erase(letters_.begin());
      ++counted_.dropped;
    }
  }
  if (oldest != 0) forget(oldest);
}

// Under lock_.
inline void post_office::count_end(bool succeeded) noexcept {
  --counted_.queued;
  ++(succeeded ? counted_.succeeded : counted_.failed);
}

inline std::vector<dead_letter> post_office::letters() {
  std::vector<event_id> ids;
  bool is_closed = false;
  {
    const lock_guard hold(lock_);
    ids = letters_;
    is_closed = closed_;
  }
  std::vector<dead_letter> all;
  for (const event_id id : ids) {
    stored_event each;
    if (!store_.read(id, each)) continue;
    if (each.reason == failed_because::nothing) {
      if (!is_closed) continue;  // Somebody replays it meanwhile.
      each.reason = failed_because::draining;
    }
    all.push_back({id, std::move(each.function), std::move(each.event),
                   std::move(each.tenant), each.reason, each.attempts,
                   each.last_code, std::move(each.last_error),
                   each.first_sent});
  }
  return all;
}

inline bool post_office::drop(event_id id) {
  {
    const lock_guard hold(lock_);
    if (!take_letter(id)) return false;
    ++counted_.dropped;
  }
  forget(id);
  return true;
}

// Under lock_: whoever takes a letter alone deals with it.
inline bool post_office::take_letter(event_id id) noexcept {
  const auto found = std::find(letters_.begin(), letters_.end(), id);
  if (found == letters_.end()) return false;
  letters_.erase(found);
  return true;
}

inline outcome<event_id> post_office::replay(event_id id) try {
  stored_event letter;  // Read to name its function, if it is there.
  store_.read(id, letter);
  if (failure why = take_back(id, letter.function)) {
    return refuse(std::move(why), 0);
  }
  payload bytes;
  owned_event event;
  try {
    event = revive(id, bytes);
  } catch (...) {
    return_letter(id);
    throw;
  }
  const std::size_t size = bytes.size();
  attempt(std::move(event), std::move(bytes));
  return answer(id, size);
} catch (const std::exception& why) {
  return refuse(make_error(engine_, errc::resource_exhausted, {},
                           sentence({"dead letter ", id,
                                     " was not replayed: ", why.what()})),
                0);
}

// A letter, and a place for it.
inline failure post_office::take_back(event_id id, std::string_view function) {
  const lock_guard hold(lock_);
  if (std::find(letters_.begin(), letters_.end(), id) == letters_.end()) {
    return make_error(engine_, errc::not_found, {},
                      sentence({"there is no dead letter ", id}));
  }
  if (failure why = take_place(function)) return why;
  take_letter(id);
  ++counted_.replayed;
  return nullptr;
}

// It could not be replayed.
inline void post_office::return_letter(event_id id) noexcept {
  const lock_guard hold(lock_);
  --counted_.queued;
  --counted_.replayed;
  letters_.push_back(id);  // There is room (I2).
}

inline post_office::owned_event post_office::revive(event_id id,
                                                    payload& bytes) {
  auto event = make_owned<stored_event>();
  if (!store_.read(id, *event)) {
    throw std::out_of_range("the event store has lost it");
  }
  bytes = payload(std::exchange(event->event, {}));
  event->sent = engine_.now();
  event->attempts = event->postponed = event->hops = 0;
  event->reason = failed_because::nothing;
  event->last_code = errc::ok;
  event->last_error.clear();
  store_.update(*event);
  return event;
}

// What a host's store already holds.
inline void post_office::adopt() {
  if (&store_ == &own_) return;
  for (const event_id id : store_.list()) {
    stored_event each;
    if (!store_.read(id, each)) continue;
    if (each.reason != failed_because::nothing) {
      letters_.push_back(id);
    } else {
      due_.push_back({core::as_count(each.due), ++waits_, id});
      ++counted_.queued;
    }
  }
  std::make_heap(due_.begin(), due_.end());
  letters_.reserve(letters_.size() + due_.size());
}

inline std::uint64_t post_office::close() noexcept {
  erase_the_rest(true);
  std::vector<due_event> left;
  {
    const lock_guard hold(lock_);
    if (closed_) return undelivered_;
    closed_ = true;
    left.swap(due_);
    arm();
  }
  std::sort_heap(left.begin(), left.end());
  for (auto each = left.rbegin(); each != left.rend(); ++each) {
    owned_event event = take_out(each->id);
    if (event == nullptr) continue;
    follow_up last(*this, std::move(event));
    try {
      bury(*last.event, failed_because::draining);
      last.event.reset();
    } catch (...) {  // As in attempt().
    }
  }
  const lock_guard hold(lock_);
  return undelivered_;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
