#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "hotplate/arena/stack_pool.hpp"
#include "hotplate/base/asymmetric_fence.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/sched/entrance.hpp"
#include "hotplate/sched/event_count.hpp"
#include "hotplate/sched/fiber_source.hpp"
#include "hotplate/sched/overflow.hpp"
#include "hotplate/sched/watchdog.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

class worker;

/// What the workers of one engine share.
struct shared_sched {
  shared_sched(clock_source& time, std::size_t regular, std::size_t spare,
               const overflow_watch* overflow_reports, chunk_source* chunks);
  shared_sched(const shared_sched&) = delete;
  shared_sched& operator=(const shared_sched&) = delete;
  ~shared_sched();

  // Between what a worker does all the time and what others ask for seldom.
  asymmetric_fence fence;
  entrance arrivals;
  stack_pool stacks;
  fiber_source fibers{stacks};
  event_count idle;
  watchdog dog;
  owned_list<worker> workers;  // Spare ones last.
  owned_array<bed> beds;
  const overflow_watch* const overflows;
  std::atomic<bool> stopping = false;
  // Counts up when workers are to look which fibers they did not need lately.
  std::atomic<std::uint32_t> looks = 0;
  // Is told by each worker that does so; set before any runs.
  void (*on_look)(void* target, worker& by) noexcept = nullptr;
  void* target = nullptr;
  // Set by tests: what may move never goes on where it was suspended.
  std::atomic<bool> restless = false;

  bool anything_unstarted() const noexcept;
  void wake_any() noexcept { idle.notify(beds.get(), workers.size()); }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
