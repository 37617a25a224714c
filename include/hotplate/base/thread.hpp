#pragma once

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

}  // namespace hotplate::inline HOTPLATE_ABI::detail
