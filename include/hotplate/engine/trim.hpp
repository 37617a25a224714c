#pragma once

#include "hotplate/engine/core.hpp"

// Memory is given back: what the engine holds and has not needed for a while.
// By the watchdog, which is awake for a second after anything ran, or by
// whoever pumps; so an idle engine has no wake-ups for it.

namespace hotplate::inline HOTPLATE_ABI::detail {

// What lies idle from one look to the next goes: after one to two times this.
inline constexpr std::int64_t look_every = 250'000'000;

/// Now and then, a little of it at a time; returns whether there is more.
inline bool core::trim(std::int64_t now) noexcept {
  constexpr std::int64_t at_most = 300'000;  // Deadlines wait meanwhile.
  if (!config_.gives_memory_back) return false;
  if (now - looked_at_ >= look_every) {
    looked_at_ = now;
    threads_.look(records_.holds_many(threads_.size()));
    chunks_->look();
    records_.look();
  }
  bool more = false;
  do {
    more = threads_.trim_guest() || threads_.stacks().trim() ||
           chunks_->trim() || records_.trim();
  } while (more && time_.now() - now < at_most);
  return more;
}

inline void core::give_cache(void* self, worker& of) noexcept {
  auto& engine = *static_cast<core*>(self);
  engine.records_.give_cache(of);
  engine.chunks_->give(of.chunks()->empty());
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
