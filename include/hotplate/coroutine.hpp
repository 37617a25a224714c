#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hotplate/engine.hpp"
#include "hotplate/engine/resumption.hpp"

// Awaiting invocations in any C++20 coroutine. Not part of hotplate.hpp: who
// has no coroutines does not pay for them.
//
// The coroutine is resumed as an ordinary fiber of the engine's pool, where it
// may wait as a handler does; or on an executor, as pending::then() has it. It
// is never resumed on the stack that settled, and goes on at once if everything
// has settled already.
//
// Destroying a coroutine that is suspended here takes it off atomically: it
// will not be resumed. What it awaited is detached with its pendings: it
// finishes and is metered. (As ever, nobody may destroy a coroutine that is
// being resumed.)
//
// Errors: std::bad_alloc where the host has no memory to suspend it. What is
// awaited yields an outcome.
// Lifetime: all of it ends before the engine, whose destructor answers what is
// awaited with `draining`. Pendings are awaited in the same expression or stay
// where they are meanwhile.

namespace hotplate::inline HOTPLATE_ABI {

/// co_await pending: its outcome, as get().
template <typename T>
auto operator co_await(pending<T>& started) noexcept {
  return detail::awaiting<T>(started);
}
template <typename T>
auto operator co_await(pending<T>&& started) noexcept {
  return detail::awaiting<T>(started);
}

/// co_await resume_on(executor, pending): the same, resumed by what is given to
/// `where(continuation)`. If it has settled already, the coroutine goes on
/// where it is.
template <typename Executor, typename T>
auto resume_on(Executor where, pending<T>& started) noexcept {
  return detail::awaiting_elsewhere<T, Executor>(started, std::move(where));
}
template <typename Executor, typename T>
auto resume_on(Executor where, pending<T>&& started) noexcept {
  return detail::awaiting_elsewhere<T, Executor>(started, std::move(where));
}

/// co_await when_all(a, b): a tuple of all outcomes, once all have settled.
template <detail::any_pending... P>
auto when_all(P&&... several) {
  return detail::awaiting_all<std::remove_reference_t<P>...>(several...);
}
/// co_await when_all(vector): a vector of them.
template <typename T>
auto when_all(std::vector<pending<T>>& several) {
  return detail::awaiting_every<T>(several);
}

/// co_await when_any(a, b), or when_any(vector): the index of the first that is
/// ready, once any has settled. All pendings stay, to be got or dropped.
template <detail::any_pending... P>
auto when_any(P&&... several) {
  return detail::awaiting_any({detail::access::invocation_of(several)...});
}
template <typename T>
auto when_any(std::vector<pending<T>>& several) {
  return detail::awaiting_any(detail::invocations_of(several));
}

}  // namespace hotplate::inline HOTPLATE_ABI
