#pragma once

#include <memory>
#include <new>
#include <tuple>
#include <utility>

#include "hotplate/codec.hpp"
#include "hotplate/module.hpp"
#include "hotplate/registry/signature.hpp"
#include "hotplate/retire.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// How one kind of call reaches a handler, its types erased. A null destroyer
/// means that there is nothing to destroy.
struct call_shape {
  /// Calls the handler on `args`, and constructs its result at `result`.
  void (*run)(void* state, context& ctx, void* args, void* result);
  void (*destroy_args)(void* args) noexcept;
  void (*destroy_result)(void* result) noexcept;
};

/// A handler, its type erased: made once by deploy, called through pointers to
/// code of the shared object that deploys it.
struct handler {
  /// First: an engine of another build can read no more than that.
  build_stamp build = this_build(sizeof(handler));
  module_id module;  ///< Of who deploys it.
  const std::type_info* signature;
  const call_shape* typed;
  const call_shape* by_view;   ///< Event as a view; null without codec.
  const call_shape* by_value;  ///< Event moved in; null without codec.

  // An instance's own state; none if the size is 0.
  std::size_t state_size;
  std::size_t state_alignment;
  void (*init)(void* state, const void* prototype, init_context& ctx);
  void (*copy)(void* state, const void* from);  ///< Null if it has none.
  void (*destroy)(void* state);  ///< May throw; null if nothing is to be done.
  void (*on_retire)(void* state, retire_reason why) noexcept;  ///< Or null.
  /// What instances share, or are copied from; may be null.
  std::shared_ptr<void> prototype;
  bool is_null;  ///< A null pointer, or an empty std::function and its like.
};

/// Of what can be compared with null, but for lambdas, which convert to what
/// can.
template <typename Callable>
bool is_null_callable(const Callable& callable) noexcept {
  if constexpr (std::is_pointer_v<Callable> ||
                std::is_member_pointer_v<Callable> ||
                (!std::is_empty_v<Callable> &&
                 requires { callable == nullptr; })) {
    return callable == nullptr;
  } else {
    return false;
  }
}

/// Tells a codec's failure from the same exception thrown by a handler.
struct undecodable {
  std::string reason;
};

template <typename T>
void destroy_as(void* object) noexcept {
  static_cast<T*>(object)->~T();
}
template <typename T>
constexpr auto destroyer() noexcept -> void (*)(void*) noexcept {
  if constexpr (std::is_trivially_destructible_v<T>) return nullptr;
  return &destroy_as<T>;
}

/// The same for the state of an instance, whose destructor may throw.
template <typename T>
constexpr auto state_destroyer() noexcept -> void (*)(void*) {
  if constexpr (std::is_nothrow_destructible_v<T>) {
    return destroyer<T>();
  } else {
    return [](void* state) { static_cast<T*>(state)->~T(); };
  }
}

/// The hook of a state that has one.
template <typename T>
constexpr auto retirer() noexcept -> void (*)(void*, retire_reason) noexcept {
  if constexpr (requires(T & state, retire_reason why) {
                  state.on_retire(why);
                }) {
    static_assert(noexcept(std::declval<T&>().on_retire(retire_reason())),
                  "on_retire(hotplate::retire_reason) must be noexcept");
    return [](void* state, retire_reason why) noexcept {
      static_cast<T*>(state)->on_retire(why);
    };
  } else {
    return nullptr;
  }
}

template <typename Args, typename Result>
constexpr call_shape shape_of(void (*run)(void*, context&, void*, void*)) {
  return {run, destroyer<Args>(), destroyer<Result>()};
}

/// The shapes of one handler type.
template <typename Handler, typename Signature>
struct calls;

template <typename Handler, typename R, typename... Args>
struct calls<Handler, R(Args...)> {
  using stored_args = std::tuple<stored_t<Args>...>;
  using stored_result = typename outcome<R>::stored;

  static_assert((storable<Args> && ...),
                "a handler's parameters are values, views, const references or "
                "rvalue references, and can be moved");
  static_assert((keepable<Args> && ...),
                "a handler's parameter is no char*, std::span or other view "
                "than std::string_view and payload_view, which the invocation "
                "copies: its caller may have freed what it points to");
  static_assert(returnable<R>,
                "a handler returns void or a movable value, never a view or a "
                "reference: what it would point to ends with the invocation");
  static_assert(!in_arena<std::remove_cv_t<R>>::value,
                "a handler does not return a std::pmr container: its memory is "
                "the arena's, which ends with the invocation; copy it into one "
                "with std::allocator, or make a payload(ctx.arena(), size)");

  static R call(void* state, context& ctx, stored_args& args) {
    auto& handler = *static_cast<Handler*>(state);
    return std::apply(
        [&](auto&... each) -> R {
          if constexpr (handler_traits<
                            std::remove_const_t<Handler>>::takes_context) {
            return handler(ctx, static_cast<Args&&>(each)...);
          } else {
            return handler(static_cast<Args&&>(each)...);
          }
        },
        args);
  }

  static void run_typed(void* state, context& ctx, void* args, void* result) {
    auto& stored = *static_cast<stored_args*>(args);
    if constexpr (std::is_void_v<R>) {
      call(state, ctx, stored);
      new (result) nothing;
    } else {
      new (result) R(call(state, ctx, stored));
    }
  }
  static constexpr call_shape typed =
      shape_of<stored_args, stored_result>(&run_typed);

  static constexpr bool decodes_args = [] {
    if constexpr (sizeof...(Args) == 0) {
      return true;
    } else if constexpr (sizeof...(Args) == 1) {
      return (decodable<stored_t<Args>> && ...);
    } else {
      return decodable<stored_args>;  // hotplate/json.hpp knows how.
    }
  }();
  static constexpr bool encodes_result = std::is_void_v<R> || encodable<R>;
  static constexpr bool has_codec = decodes_args && encodes_result;

  static stored_args decode([[maybe_unused]] payload_view event) try {
    if constexpr (sizeof...(Args) == 0) {
      return {};
    } else if constexpr (sizeof...(Args) == 1) {
      return stored_args(codec<stored_t<Args>...>::decode(event));
    } else {
      return codec<stored_args>::decode(event);
    }
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& why) {
    throw undecodable{why.what()};
  }

  // An event that was given by value moves on to who takes it as it is.
  template <typename Event>
  static stored_args arguments_of(Event& event) {
    if constexpr (std::is_same_v<Event, payload> &&
                  std::is_same_v<stored_args, std::tuple<payload>>) {
      return stored_args(std::move(event));
    } else {
      return decode(payload_view(event));
    }
  }

  template <typename Event>
  static void run_encoded(void* state, context& ctx, void* event,
                          void* result) {
    stored_args args = arguments_of(*static_cast<Event*>(event));
    if constexpr (std::is_void_v<R>) {
      call(state, ctx, args);
      new (result) payload;
    } else {
      new (result) payload(codec<R>::encode(call(state, ctx, args)));
    }
  }
};

template <typename Handler, typename Signature, typename Event>
inline constexpr call_shape encoded_shape = shape_of<Event, payload>(
    &calls<Handler, Signature>::template run_encoded<Event>);

template <typename Handler, typename Signature>
handler describe_calls(module_id deployer) {
  using shapes = calls<Handler, Signature>;
  handler erased{};
  erased.module = deployer;
  erased.signature = &typeid(Signature);
  erased.typed = &shapes::typed;
  if constexpr (shapes::has_codec) {
    erased.by_view = &encoded_shape<Handler, Signature, payload_view>;
    erased.by_value = &encoded_shape<Handler, Signature, payload>;
  }
  return erased;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
