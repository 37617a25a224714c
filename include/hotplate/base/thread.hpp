#pragma once

#include <sched.h>

#include <cstddef>
#include <thread>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct thread_start {
  void operator()() const noexcept { main(object, what); }
  void (*main)(void* object, void* what) noexcept;
  void* object;
  void* what;
};

/// A thread that calls (object.*Main)(what). std::thread's constructor would be
/// compiled anew for each member function.
/// Throws what that constructor throws.
template <auto Main, typename Object, typename What>
std::thread start_thread(Object& object, What& what) {
  return std::thread(thread_start{[](void* on, void* with) noexcept {
                                    (static_cast<Object*>(on)->*Main)(
                                        *static_cast<What*>(with));
                                  },
                                  &object, &what});
}

/// A thread that calls (object.*Main)().
template <auto Main, typename Object>
std::thread start_thread(Object& object) {
  return std::thread(thread_start{
      [](void* on, void*) noexcept { (static_cast<Object*>(on)->*Main)(); },
      &object, nullptr});
}

/// The calling thread stays on one of the CPUs that the process may use; those
/// are taken in turn.
inline void pin_to_cpu(std::size_t index) noexcept {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  std::size_t left = index % static_cast<std::size_t>(CPU_COUNT(&allowed));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || left-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
