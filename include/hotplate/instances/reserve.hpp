#pragma once

#include "hotplate/instances/instance_pool.hpp"

// Room for new instances, and what is made in it.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Where none is idle, room for one more in this worker's shard, without a line
/// that other workers write; make() or give_up_room() must then be called for
/// it. Else null: then the pool is to be asked for an idle one, and for room.
HOTPLATE_INLINE instance_shard* instance_pool::reserve_own(
    std::size_t worker) noexcept {
  instance_shard* const own = shards_.own(worker);
  if (own == nullptr || idle_.has_any()) return nullptr;
  if (!own->take_room(shards_.limited()) && !grant(*own)) return nullptr;
  if (budget_.try_claim(memory())) return own;
  own->give_room(shards_.limited());
  return nullptr;
}

/// Room for one more, which make() or give_up_room() must then be called for;
/// after a shortage of memory, make_room() first.
inline shortage instance_pool::reserve() noexcept {
  const lock_guard hold(lock_);
  std::int64_t ending_there = 0;
  if (!add_live(ending_there)) {
    return ending_ + ending_there > given_up_ ? shortage::until_end
                                              : shortage::instances;
  }
  return budget_.try_claim(memory()) ? shortage::none : shortage::memory;
}

// Who waits for an instance to end hears of its room.
inline void instance_pool::give_up_room(instance_shard* home) noexcept {
  ends_.begin();
  if (home != nullptr) {
    home->give_room(shards_.limited());
  } else {
    const lock_guard hold(lock_);
    --live_;
  }
  budget_.give_back(memory());
  ends_.finish(1);
}

inline instance* instance_pool::make(instance_shard* home, bool ahead) {
  try {
    instance* const made = maker_.make(
        home == nullptr ? instance_rooms::anybody : shards_.worker_of(*home));
    made->pool = this;
    made->in_use = 1;
    made->made_at = clock_.now();
    made->made_ahead = ahead;
    if (home != nullptr) {
      shards_.settle_in(*made, *home);
      return made;
    }
    const lock_guard hold(lock_);
    all_.add(*made);
    count_in(*made);
    return made;
  } catch (...) {
    give_up_room(home);
    throw;
  }
}

// Under the lock, so the next two.
inline bool instance_pool::is_full() const noexcept {
  const std::int64_t most = config_.max_instances;
  return most > 0 && live_ + ending_ + granted_ >= most;
}

// One more exists, unless they are max_instances. One that was too few to
// expire may not be any more.
inline bool instance_pool::add_live(std::int64_t& ending_there) noexcept {
  // Nobody is refused for a room that a shard has left, nor for one that an
  // instance of a shard has just left.
  if (is_full()) granted_ -= shards_.collect(ending_there);
  if (is_full()) return false;
  if (++live_ > floor_) {
    if (!armed_) stir();
    rank();
  }
  open_shards();
  return true;
}

// For functions that start cold again and again: others are to cost no more
// memory than they must. Where several may share an instance, or a policy or a
// floor is to be asked, the lock is needed anyway; and a few rooms are soon
// used up.
inline void instance_pool::open_shards() noexcept {
  constexpr std::int32_t many = 8;
  const auto few = 4 * static_cast<std::int64_t>(threads_.size());
  const bool small = shards_.limited() && config_.max_instances <= few;
  if (floor_ > 0 || has_policy() || is_shared() || small) return;
  if (starts_ <= many && ++starts_ > many) shards_.make();
}

// One room, and some for later: as many at most as leave as much for each of
// the others.
HOTPLATE_NOINLINE inline bool instance_pool::grant(
    instance_shard& to) noexcept {
  constexpr std::int64_t batch = 16;
  const lock_guard hold(lock_);
  const std::int64_t left = config_.max_instances - live_ - ending_ - granted_;
  if (left <= 0) return false;
  const auto others = static_cast<std::int64_t>(threads_.size());
  const std::int64_t rooms =
      std::clamp<std::int64_t>(left / (others + 1), 1, batch);
  granted_ += rooms;
  to.accept(rooms);
  return true;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
