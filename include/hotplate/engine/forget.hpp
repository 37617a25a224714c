#pragma once

#include <vector>

#include "hotplate/engine/post_office.hpp"

// How events leave their store, which may refuse to let them go.

namespace hotplate::inline HOTPLATE_ABI::detail {

// One that stays in the store would be run again by who takes that up: so it is
// told of, and erased once the store can.
inline void post_office::forget(event_id id) noexcept {
  if (try_erase(id)) return erase_the_rest(false);
  const lock_guard hold(lock_);
  erases_again_ = engine_.clock_now() + a_while;
  if (++counted_.unerased > engine_.config().max_queued_events) return;
  keep_unerased({&id, 1});
}

inline bool post_office::try_erase(event_id id) noexcept try {
  store_.erase(id);
  return true;
} catch (...) {
  return false;
}

inline void post_office::erase_the_rest(bool at_once) noexcept {
  std::vector<event_id> left;
  {
    const lock_guard hold(lock_);
    const std::int64_t now = engine_.clock_now();
    if (unerased_.empty() || (!at_once && now < erases_again_)) return;
    erases_again_ = now + a_while;
    left.swap(unerased_);
  }
  const std::size_t erased =
      std::erase_if(left, [this](event_id each) { return try_erase(each); });
  const lock_guard hold(lock_);
  counted_.unerased -= static_cast<std::int64_t>(erased);
  keep_unerased(left);
}

// Under lock_. Without memory for them they are still counted.
inline void post_office::keep_unerased(std::span<const event_id> more) noexcept
    try {
  unerased_.insert(unerased_.end(), more.begin(), more.end());
} catch (const std::bad_alloc&) {
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
