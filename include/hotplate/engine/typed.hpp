#pragma once

#include <new>
#include <tuple>
#include <utility>
#include <vector>

#include "hotplate/engine/continuation.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/fan_out.hpp"
#include "hotplate/engine/invoke_here.hpp"
#include "hotplate/engine/lookup.hpp"
#include "hotplate/function.hpp"
#include "hotplate/pending.hpp"

// Calls with types: thin shells around the core.

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

HOTPLATE_NOINLINE inline void lacks_version(invocation& call,
                                            std::string_view name) noexcept {
  call.thrown = is_not_found(*call.engine, name);
}

/// What the invocation keeps of an argument: a view's bytes, or the object.
template <typename Argument>
decltype(auto) keep([[maybe_unused]] arena& memory, Argument& argument) {
  using stored = stored_t<Argument>;
  if constexpr (std::is_same_v<stored, std::string_view>) {
    return copy_into(memory, argument);
  } else if constexpr (std::is_same_v<stored, payload_view>) {
    return payload_view(copy_into(memory, argument.text()));
  } else if constexpr (std::is_same_v<stored, payload>) {
    if (memory.scrubs()) [[unlikely]]
      argument.scrub_at_end();
    return static_cast<Argument&&>(argument);
  } else {
    return static_cast<Argument&&>(argument);
  }
}

/// For a caller that stays.
template <typename Argument>
decltype(auto) borrow([[maybe_unused]] arena& memory, Argument& argument) {
  if constexpr (std::is_same_v<stored_t<Argument>, payload>) {
    return keep<Argument>(memory, argument);
  } else {
    return static_cast<Argument&&>(argument);
  }
}

/// Opens a record and fills it, unless something is wrong with it already.
template <bool Borrows, typename Args, typename Result, typename... Given>
invocation* prepare(core& engine, function_record& target,
                    signature_id signature, const invoke_options& options,
                    worker* here, Given&... given) {
  version_record* const version = live_version(target, signature);
  invocation* const call = engine.open(&target, version, options, here);
  if (call == nullptr) return nullptr;
  if (version == nullptr) [[unlikely]] {
    lacks_version(*call, target.name);
    return call;
  }
  fill<Args, Result>(*call, *version->how.typed, engine.chunks(), [&] {
    if constexpr (Borrows) {
      if (stays(engine, here)) {
        new (call->args) Args(borrow<Given>(call->memory, given)...);
        return;
      }
    }
    new (call->args) Args(keep<Given>(call->memory, given)...);
  });
  return call;
}

}  // namespace detail

template <typename R, typename... Args>
outcome<R> function<R(Args...)>::operator()(Args... args,
                                            source_location where) const {
  detail::core& engine = core();
  detail::worker* here = engine.here_or_throw(where);
  detail::invocation* const call =
      detail::prepare<false, std::tuple<detail::stored_t<Args>...>,
                      typename outcome<R>::stored, Args...>(
          engine, *target_, typeid(R(Args...)), options_, here, args...);
  if (call == nullptr) return detail::no_record<R>(engine, target_->name);
  if (options_.stop.stop_possible()) [[unlikely]] {
    here = engine.invoke(*call, here, options_.stop);
  } else {
    here = engine.invoke(*call, here);
  }
  return detail::take_outcome<R>(engine, *call, here);
}

template <typename R, typename... Args>
outcome<R> function<R(Args...)>::call_here(Args... args) const {
  detail::core& engine = core();
  detail::worker* here = engine.here_or_throw({});
  const detail::guest_place own(engine, here);
  detail::invocation* const call =
      detail::prepare<true, std::tuple<detail::stored_t<Args>...>,
                      typename outcome<R>::stored, Args...>(
          engine, *target_, typeid(R(Args...)), options_, here, args...);
  if (call == nullptr) return detail::no_record<R>(engine, target_->name);
  here = engine.invoke_here(*call, here, options_.stop);
  return detail::take_outcome<R>(engine, *call, here);
}

template <typename R, typename... Args>
pending<R> function<R(Args...)>::async(Args... args) const {
  detail::core& engine = core();
  detail::worker* const here = engine.here_or_throw({});
  detail::invocation* const call =
      detail::prepare<false, std::tuple<detail::stored_t<Args>...>,
                      typename outcome<R>::stored, Args...>(
          engine, *target_, typeid(R(Args...)), options_, here, args...);
  if (call == nullptr) {
    return pending<R>(detail::no_record<R>(engine, target_->name));
  }
  engine.start(*call, here);
  return pending<R>(*call);
}

template <typename R, typename... Args>
template <typename Inputs>
std::vector<outcome<R>> function<R(Args...)>::invoke_all(
    const Inputs& inputs, source_location where) const {
  if constexpr (detail::plain_inputs<Inputs, Args...>) {
    return invoke_plain(std::data(inputs), std::size(inputs), where);
  }
  const auto start = [&](const auto& input) {
    if constexpr (sizeof...(Args) == 1) {
      return async(input);
    } else {
      return std::apply([&](const auto&... each) { return async(each...); },
                        input);
    }
  };
  return detail::get_all<R>(inputs, options_.stop, start, where);
}

template <typename R, typename... Args>
template <typename Input>
std::vector<outcome<R>> function<R(Args...)>::invoke_plain(
    const Input* inputs, std::size_t count, source_location where) const {
  detail::core& engine = core();
  detail::worker* const here = engine.here_or_throw(where);
  detail::fan_out all(engine, here, count);
  for (std::size_t i = 0; i < count; ++i) {
    Input given = inputs[i];
    all.start(detail::prepare<false, std::tuple<detail::stored_t<Args>...>,
                              typename outcome<R>::stored, Args...>(
        engine, *target_, typeid(R(Args...)), options_, here, given));
  }
  return detail::take_all<R>(all, count, options_.stop, target_->name);
}

template <typename R, typename... Args>
std::string_view function<R(Args...)>::name() const noexcept {
  static_cast<void>(core());
  return target_->name;
}

template <typename T>
pending<T>::pending(detail::invocation& started) noexcept
    : call_(&started),
      generation_(started.generation()),
      leash_(started.engine->leashes()) {}

template <typename T>
detail::invocation& pending<T>::forget() noexcept {
  detail::invocation& call = *call_;
  std::atomic_ref(call_).store(nullptr, std::memory_order_relaxed);
  return call;
}

template <typename T>
pending<T>::~pending() {
  if (call_ == nullptr) return;
  leash_.check("pending", "destroyed");
  // Locks of threads that are not there may be held: a forked child leaks it.
  if (!call_->engine->is_forked()) detail::continuations::drop(*call_);
}

template <typename T>
void pending<T>::detach() noexcept {
  if (call_ == nullptr) return;
  check_leash();
  detail::invocation& call = forget();
  if (call.engine->is_forked()) return;
  call.engine->leave(call, call.engine->here());
}

template <typename T>
outcome<T> pending<T>::get(source_location where) {
  if (refused_) return std::move(*std::exchange(refused_, std::nullopt));
  detail::require(call_ != nullptr,
                  "a pending was asked for an outcome that had been taken, "
                  "moved to another, or let go");
  check_leash();
  detail::core& engine = *call_->engine;
  detail::worker* here = engine.here_or_throw(where);
  if (here == nullptr && engine.is_forked()) [[unlikely]]
    return detail::no_record<T>(engine, detail::name_of(*call_));
  here = engine.wait(*call_, here);
  return detail::take_outcome<T>(engine, forget(), here);
}

template <typename T>
bool pending<T>::wait_until(time_point when, source_location where) {
  if (call_ == nullptr) return true;
  check_leash();
  detail::core& engine = *call_->engine;
  if (engine.is_forked()) return ready();  // Nobody settles it.
  engine.wait(*call_, engine.here_or_throw(where),
              detail::core::as_count(when));
  return ready();
}

template <typename T>
bool pending<T>::ready() const noexcept {
  check_leash();
  return call_ == nullptr || call_->has(detail::invocation::settled);
}

template <typename T>
void pending<T>::cancel() noexcept {
  // While another thread gets the outcome: its record may be in use again.
  detail::invocation* const call =
      std::atomic_ref(call_).load(std::memory_order_relaxed);
  if (call == nullptr) return;
  leash_.check("pending", "used");
  if (call->engine->is_forked()) return;
  call->engine->cancel(*call, generation_, errc::cancelled);
}

}  // namespace hotplate::inline HOTPLATE_ABI
