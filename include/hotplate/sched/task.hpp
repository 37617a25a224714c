#pragma once

#include <cstdint>
#include <string_view>

#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

class fiber;
class worker;

/// The kind of fiber that a task wants.
struct fiber_kind {
  std::uint8_t stack_class = 0;
  bool moves = false;  ///< Once suspended, it may go on on another worker.
};

/// Instead of a stack class: on no fresh stack.
inline constexpr std::uint8_t no_stack = 0;

/// How a task is submitted.
enum class submitted : std::uint8_t {
  alone,
  among_others,  ///< Of which workers are told later.
  waited_for,    ///< By the calling thread, which does nothing else.
};

/// Something to run on a fiber; it has not started yet.
struct task : fiber_kind {
  /// Runs to its end. The fiber returned, if any, is to run next on this
  /// worker: the one that waited for this task.
  fiber* (*run)(task& self, worker& on) = nullptr;
  /// Called instead of run() when there is no memory for a fiber.
  void (*refuse)(task& self, worker& on) noexcept = nullptr;
  /// The function it belongs to, for a report of a stack overflow: called in a
  /// signal handler. May be null, or return nothing.
  std::string_view (*name)(const task& self) noexcept = nullptr;
};

/// A suspended fiber that may move and is ready: what workers find as they find
/// a task, and resume.
struct mover final : task {
  explicit mover(fiber& its) noexcept : ready(its) {}
  fiber& ready;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
