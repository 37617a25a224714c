#pragma once

#include "hotplate/instances/instance_pool.hpp"

// What an operator sees of a pool.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline std::uint64_t instance_pool::live() const noexcept {
  const lock_guard hold(lock_);
  return static_cast<std::uint64_t>(live_ + ending_ + shards_.exist());
}

inline std::uint64_t instance_pool::evicted() const noexcept {
  const lock_guard hold(lock_);
  return evicted_;
}

inline std::int64_t instance_pool::idle(std::int64_t now) const noexcept {
  const lock_guard hold(lock_);
  return idle_.spent(now);
}

template <typename See>
void instance_pool::see_reserved(std::int64_t now, const See& see) const {
  const lock_guard hold(lock_);
  reserved_.see_all(now, see);
}

template <int>
std::vector<instance_info> instance_pool::list(std::int64_t now) const {
  std::vector<instance_info> seen;
  const lock_guard hold(lock_);
  // Also those that are idle may be taken, and end, meanwhile.
  const instance_shards::hold held(shards_);
  const auto for_each = [this](const auto& see) {
    all_.for_each(see);
    for (const instance_shard& own : shards_.all()) own.all.for_each(see);
  };
  for_each([](instance& each) { each.noted_since = forever; });
  idle_.note();
  for_each([&](instance& each) { seen.push_back(maker_.info_of(each, now)); });
  return seen;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
