#pragma once

#include "hotplate/sched/worker.hpp"

// Now and then, a worker looks which of its fibers it has not needed lately.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Whether it is time to look, for the one that has fibers of its own to keep.
HOTPLATE_INLINE bool worker::is_to_trim() const noexcept {
  return shared_.looks.load(std::memory_order_relaxed) != looks_ && !is_plain();
}

/// Whether it may have something to trim; from any thread.
inline bool worker::holds_many() const noexcept {
  return fibers_.holds_many() || tasks_.holds_many();
}

/// Gives back some of those not needed since the last look: again while
/// is_to_trim().
HOTPLATE_NOINLINE inline void worker::trim() noexcept {
  const std::uint32_t looks = shared_.looks.load(std::memory_order_relaxed);
  if (!fibers_.trim()) return;
  looks_ = looks;
  tasks_.trim();
  if (shared_.on_look != nullptr) shared_.on_look(shared_.target, *this);
}

/// Of a plain one, by whoever has it meanwhile: the same, and false if that is
/// not all.
inline bool worker::trim_vacant() noexcept {
  const bool all = fibers_.trim();
  if (shared_.on_look != nullptr) shared_.on_look(shared_.target, *this);
  return all;
}

/// Before its thread ends.
inline void worker::give_all_back() noexcept {
  fibers_.give_all_back();
  if (shared_.on_look != nullptr) shared_.on_look(shared_.target, *this);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
