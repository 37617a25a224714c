#pragma once

#include "hotplate/engine/continuation.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/handler_view.hpp"
#include "hotplate/engine/line.hpp"
#include "hotplate/engine/wait.hpp"

// The library is header-only, so each shared object has a copy of its code, and
// an engine that one has made may be called by another one's copy. That other
// one can be unloaded (engine_view::drain). So what an engine keeps for longer
// than a call lasts, and what others may still be calling when that is over,
// must not be of the caller's copy but of that which made the engine: it goes
// through pointers that constructors took. These are the core's; guests,
// blocking_threads, inbox, invocation_pool and fiber_store have their own.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline resident_code core::resident() noexcept {
  return {.deploy = &deploy_here,
          .handling = {{}, &run, &refuse_fiber, &name_of_task},
          .continuing = {{},
                         &continuations::on_the_pool,
                         &continuations::refuse,
                         &name_of_task},
          .continuing_elsewhere = {{},
                                   &continuations::on_executor,
                                   &continuations::refuse,
                                   &name_of_task},
          .run_anyway = &continuations::run_anyway,
          .handlers_see = handler_view::functions(),
          .end_wait = &end_wait,
          .end_by_deadline = &end_by_deadline,
          .go_on = &continuations::tell,
          .ring = &bell::ring,
          .publish_wait = &waiting::publish,
          .publish_guest = &lobby::publish,
          .yield = &waiting::resume};
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
