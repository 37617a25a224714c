#pragma once

#include <cstdint>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

class fiber;
class worker;

/// Something to run on a fiber; it has not started yet.
struct task {
  /// Runs to its end. The fiber returned, if any, is to run next on this
  /// worker: the one that waited for this task.
  fiber* (*run)(task& self, worker& on) = nullptr;
  /// Called instead of run() when there is no memory for a fiber.
  void (*refuse)(task& self, worker& on) noexcept = nullptr;
  /// The function it belongs to, for a report of a stack overflow: called in a
  /// signal handler. May be null, or return nothing.
  std::string_view (*name)(const task& self) noexcept = nullptr;
  std::uint8_t stack_class = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
