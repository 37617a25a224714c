#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

#include "hotplate/instances/rooms.hpp"
#include "hotplate/registry/handler.hpp"
#include "hotplate/usage.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

class instance_pool;

/// An initialised handler object: an execution environment. Its state follows
/// it in memory.
struct instance {
  instance* newer = nullptr;  // Towards the one used last.
  instance* older = nullptr;
  std::int64_t idle_since = 0;
  // Written by whoever has it on loan, read by list().
  std::atomic<std::int64_t> uses_left =
      std::numeric_limits<std::int64_t>::max();
  std::int64_t made_at = 0;
  instance* next = nullptr;  // Of all of its pool, under the pool's lock.
  instance* previous = nullptr;
  std::int64_t noted_since = 0;  // For list(), under the pool's lock.
  void* state = nullptr;
  instance_rooms::hall* hall = nullptr;  // Where its memory is.
  instance_pool* pool = nullptr;         // Its own.
  // Under the pool's lock; of use where a policy, or invocations that share an
  // instance, need them.
  std::int64_t keep_until = 0;
  std::int32_t in_use = 0;  // By so many invocations.
  bool joinable = false;    // It is in the list of those that others may join.
  bool spoiled = false;     // An invocation on it failed.
  bool made_ahead = false;
  bool counts = false;  // As one of the provisioned; under the pool's lock.
  retire_reason ends_for = retire_reason::expired;  // Once it is ending.
  // Of the next invocation to take it; written under the pool's lock.
  std::atomic<start_kind> start = start_kind::warm;
  std::uint16_t home = 0;  // Where it is counted: a worker + 1; 0: in the pool.
};

/// An init that took longer counts as failed.
inline constexpr std::int64_t longest_init = 10'000'000'000;

inline std::size_t instance_alignment(const handler& how) noexcept {
  return how.state_alignment > alignof(instance) ? how.state_alignment
                                                 : alignof(instance);
}

/// Room for an instance and its state, which is not constructed yet.
inline instance* allocate_instance(const handler& how, instance_rooms& rooms,
                                   std::size_t worker) {
  const std::size_t alignment = how.state_size == 0 ? 1 : how.state_alignment;
  const std::size_t offset =
      (sizeof(instance) + alignment - 1) / alignment * alignment;
  const instance_rooms::room its =
      rooms.take(offset + how.state_size, instance_alignment(how), worker);
  auto* const made = new (its.start) instance;
  made->hall = its.in;
  made->state = static_cast<std::byte*>(its.start) + offset;
  return made;
}

inline void free_instance(instance* gone, const handler& how,
                          instance_rooms& rooms) noexcept {
  rooms.give({gone, gone->hall}, instance_alignment(how));
}

inline std::int64_t idle_time(std::int64_t since, std::int64_t now) noexcept {
  return now > since ? now - since : 0;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
