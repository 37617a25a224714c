#pragma once

#include <time.h>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

// How a thread of the host's runs an invocation itself.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// In invoke_here, a thread that runs no worker has a guest's as its own, if
/// there is one. `here` may be set to null once that was given back.
class guest_place {
 public:
  guest_place(core& engine, worker*& here) noexcept
      : engine_(engine), here_(here), comes_(here == nullptr) {
    if (comes_) here = engine.claim_guest();
  }
  guest_place(const guest_place&) = delete;
  guest_place& operator=(const guest_place&) = delete;
  ~guest_place() {
    if (comes_ && here_ != nullptr) engine_.give_back(*here_);
  }

 private:
  core& engine_;
  worker*& here_;
  const bool comes_;
};

/// Whether the caller of invoke_here stays until the handler has ended: not a
/// handler, which may be thrown out, nor one who pumps.
inline bool stays(const core& engine, const worker* here) noexcept {
  return engine.config().workers != 0 && (here == nullptr || here->is_vacant());
}

// On the calling thread, unless it has to wait for a place first: who is called
// in then runs on a worker. A handler that calls is on a worker already. `here`
// is else a vacant guest, or null where there is none; null is also returned
// once it was given back. What the caller lends it, it may use until it ends.
inline worker* core::invoke_here(invocation& call, worker* here,
                                 const std::stop_token& stop) {
  if (threads_.pumped() || (here != nullptr && !here->is_vacant())) {
    return stop.stop_possible() ? invoke(call, here, stop) : invoke(call, here);
  }
  const bool stoppable = stop.stop_possible();
  if (stoppable && stop.stop_requested() && !call.thrown) [[unlikely]]
    call.thrown = is_cancelled(call);
  const admission answer = admit(call, here, time_);
  if (answer == admission::refused) [[unlikely]] {
    wait_for_end(call);
    return here;
  }
  if (stoppable || answer != admission::granted || here == nullptr) [[unlikely]]
    return run_or_wait(call, here, answer, stop);
  stand_still(call, *here);
  // Nobody else claims it before enter_queue(), as in run_directly().
  call.state.store(
      call.state.load(std::memory_order_relaxed) | invocation::stands,
      std::memory_order_relaxed);
  run_as_guest(call, *here);
  return here;
}

HOTPLATE_NOINLINE inline worker* core::run_or_wait(
    invocation& call, worker* here, admission answer,
    const std::stop_token& stop) {
  const bool runs = answer == admission::granted && here != nullptr;
  // Before anybody may stop it.
  if (runs) stand_still(call, *here);
  const std::uint64_t generation = call.generation();
  const std::stop_callback cancelling(
      stop, [&]() noexcept { cancel(call, generation, errc::cancelled); });
  if (runs) {
    run_as_guest(call, *here);
    return here;
  }
  if (answer == admission::granted) {
    enter_queue(call);
    refuse(call, lacks_guest_place(call, config_.max_guest_threads));
  } else if (here != nullptr) {
    threads_.give_back(*here);
  }
  wait_for_end(call);
  return nullptr;
}

// The calling thread does so as a handler does that calls another one.
inline void core::stand_still(invocation& call, worker& here) noexcept {
  call.caller.store(&here.root(), std::memory_order_relaxed);
  call.is.direct = true;
}

inline void core::run_as_guest(invocation& call, worker& here) noexcept {
  enter_queue(call);
  threads_.run_here(call, here);
  here.set_running(nullptr);
  constexpr std::uint64_t over = invocation::settled | invocation::ended;
  if ((call.state.load(std::memory_order_acquire) & over) != over) [[unlikely]]
    wait_for_end(call);
}

// Somebody may be just about to answer it, or to give its record up.
HOTPLATE_NOINLINE inline void core::wait_for_end(invocation& call) noexcept {
  wait_as_thread(call, forever);
  constexpr timespec nap{0, 50'000};
  while (!call.has(invocation::ended)) nanosleep(&nap, nullptr);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
