#pragma once

#include <type_traits>
#include <utility>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/continuation.hpp"
#include "hotplate/engine/typed.hpp"

// pending::then() and what an executor is given.

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

template <typename T, typename Next>
struct followed : link {
  using answer = std::invoke_result_t<Next&, outcome<T>>;
  using stored_result = typename outcome<answer>::stored;

  followed(pending<T>&& first, Next&& follower) : next(std::move(follower)) {
    source = &access::take(first);
  }
  followed(const followed&) = delete;
  followed& operator=(const followed&) = delete;
  // Not trivial, so that is.has_args says whether there is a link.
  ~followed() {
    if (source != nullptr) continuations::drop(*source);
  }

  static void run(void*, context&, void* args, void* result) {
    auto& self = *static_cast<followed*>(args);
    pending<T> before(*std::exchange(self.source, nullptr));
    if constexpr (std::is_void_v<answer>) {
      self.next(before.get());
      new (result) nothing;
    } else {
      new (result) answer(self.next(before.get()));
    }
  }

  Next next;
};
template <typename T, typename Next, typename Executor>
struct followed_elsewhere : followed<T, Next> {
  followed_elsewhere(pending<T>&& first, Next&& follower, Executor&& its)
      : followed<T, Next>(std::move(first), std::move(follower)),
        where(std::move(its)) {
    this->pass_on = &continuations::pass_on<followed_elsewhere>;
  }

  Executor where;
};

template <typename Args>
inline constexpr call_shape follower_shape =
    shape_of<Args, typename Args::stored_result>(&Args::run);

/// `construct(place)` makes the Args, to which the pending moves.
template <typename Args, typename T, typename Construct>
pending<typename Args::answer> follow_up(pending<T>& first, way run,
                                         module_id whose,
                                         const Construct& construct) {
  using answer = typename Args::answer;
  invocation* const source = access::invocation_of(first);
  if (source == nullptr) {
    outcome<T> refused = first.get();
    const usage used = refused.usage();
    return pending<answer>(
        outcome<answer>(std::move(refused).take_error(), used));
  }
  invocation* const next =
      continuations::make<Args, typename Args::stored_result>(
          *source->engine, follower_shape<Args>, run, whose, construct);
  if (next == nullptr)
    return pending<answer>(
        no_record<answer>(*source->engine, "(continuation)"));
  continuations::follow(*next, *static_cast<Args*>(next->args), *source);
  return pending<answer>(*next);
}

}  // namespace detail

// In its caller, whose module it names: clang 14 does not hide a template of a
// template's.
template <typename T>
template <typename Next>
HOTPLATE_INLINE auto pending<T>::then(Next next)
    -> pending<std::invoke_result_t<Next&, outcome<T>>> {
  using args = detail::followed<T, Next>;
  return detail::follow_up<args>(
      *this, detail::way::on_the_pool, this_module(), [&](void* place) {
        new (place) args(std::move(*this), std::move(next));
      });
}

template <typename T>
template <typename Executor, typename Next>
HOTPLATE_INLINE auto pending<T>::then(Executor where, Next next)
    -> pending<std::invoke_result_t<Next&, outcome<T>>> {
  using args = detail::followed_elsewhere<T, Next, Executor>;
  return detail::follow_up<args>(
      *this, detail::way::on_executor, this_module(), [&](void* place) {
        new (place) args(std::move(*this), std::move(next), std::move(where));
      });
}

inline void continuation::operator()() noexcept {
  detail::invocation* const next = std::exchange(next_, nullptr);
  if (next != nullptr) detail::continuations::call_here(*next);
}

inline continuation::~continuation() {
  if (next_ == nullptr) return;
  detail::continuations::end(*next_, next_->engine->here(), errc::cancelled);
}

}  // namespace hotplate::inline HOTPLATE_ABI
