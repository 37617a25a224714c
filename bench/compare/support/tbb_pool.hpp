#pragma once

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <cstddef>
#include <utility>

namespace compare {

/// Threads of oneTBB to which a thread that takes no part gives tasks: an arena
/// with no slot reserved for it, and enqueue(), which its maintainers advise
/// for work that nobody waits for: github.com/uxlfoundation/oneTBB/issues/1140.
/// global_control raises the number of threads, else one fewer than CPUs.
class tbb_pool {
 public:
  explicit tbb_pool(int threads)
      : control_(tbb::global_control::max_allowed_parallelism,
                 static_cast<std::size_t>(threads) + 1),
        arena_(threads, 0) {
    arena_.initialize();
  }

  template <typename Task>
  void run(Task task) {
    arena_.enqueue(std::move(task));
  }

 private:
  tbb::global_control control_;
  tbb::task_arena arena_;
};

}  // namespace compare
