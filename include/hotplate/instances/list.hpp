#pragma once

#include "hotplate/instances/instance_pool.hpp"

// What an operator sees of a pool.

namespace hotplate::inline HOTPLATE_ABI::detail {

template <int>
std::vector<instance_info> instance_pool::list(std::int64_t now) const {
  std::vector<instance_info> seen;
  const lock_guard hold(lock_);
  for (instance* each = all_.first(); each != nullptr; each = each->next) {
    each->noted_since = forever;
  }
  idle_.note();
  for (instance* each = all_.first(); each != nullptr; each = each->next) {
    seen.push_back(maker_.info_of(*each, now));
  }
  return seen;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
