#pragma once

#include <cstddef>
#include <memory_resource>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "hotplate/context.hpp"

#if !defined(__GXX_RTTI)
#error "hotplate tells signatures apart by typeid: compile it with -frtti"
#endif

namespace hotplate::inline HOTPLATE_ABI {

template <typename Signature>
class function;

namespace detail {

/// What tells signatures apart: their mangled names, which compilers of one ABI
/// agree on (they spell the same type differently), and which are equal in all
/// shared objects, where addresses of typeinfo need not be.
using signature_id = const std::type_info&;

/// R(Args...) of a handler, its context left out.
template <typename Callable>
struct call_of;
template <typename R, typename... Args>
struct call_of<R(context&, Args...)> {
  using type = R(Args...);
  static constexpr bool takes_context = true;
};
template <typename R, typename... Args>
struct call_of<R(Args...)> {
  using type = R(Args...);
  static constexpr bool takes_context = false;
};

/// Whether a call may change the handler; if not, instances can share it.
template <bool Const>
struct constness {
  static constexpr bool is_const = Const;
};

template <typename Pointer>
struct call_of_member;
template <typename R, typename C, typename... Args>
struct call_of_member<R (C::*)(Args...)> : call_of<R(Args...)>,
                                           constness<false> {};
template <typename R, typename C, typename... Args>
struct call_of_member<R (C::*)(Args...) const> : call_of<R(Args...)>,
                                                 constness<true> {};
template <typename R, typename C, typename... Args>
struct call_of_member<R (C::*)(Args...) noexcept> : call_of<R(Args...)>,
                                                    constness<false> {};
template <typename R, typename C, typename... Args>
struct call_of_member<R (C::*)(Args...) const noexcept> : call_of<R(Args...)>,
                                                          constness<true> {};

template <typename Handler>
struct handler_traits {};  // Not callable, or in more than one way.
template <typename Handler>
requires requires { &Handler::operator(); }
struct handler_traits<Handler>
    : call_of_member<decltype(&Handler::operator())> {};
template <typename R, typename... Args>
struct handler_traits<R (*)(Args...)> : call_of<R(Args...)>, constness<true> {};
template <typename R, typename... Args>
struct handler_traits<R (*)(Args...) noexcept> : call_of<R(Args...)>,
                                                 constness<true> {};

/// What the invocation keeps of an argument, so that it outlives the caller.
template <typename Parameter>
using stored_t = std::remove_cvref_t<Parameter>;

template <typename Parameter>
inline constexpr bool storable =
    !(std::is_lvalue_reference_v<Parameter> &&
      !std::is_const_v<std::remove_reference_t<Parameter>>)&&std::
        is_move_constructible_v<stored_t<Parameter>>;

/// Whether the invocation can keep what a parameter refers to: it copies the
/// bytes of these two views, and knows no end of what others point to.
template <typename Parameter, typename Stored = stored_t<Parameter>>
inline constexpr bool keepable =
    std::is_same_v<Stored, std::string_view> ||
    std::is_same_v<Stored, payload_view> ||
    !(is_view<Stored> || std::is_same_v<std::decay_t<Stored>, const char*> ||
      std::is_same_v<std::decay_t<Stored>, char*>);

template <typename Result>
inline constexpr bool returnable = std::is_void_v<Result> ||
                                   (std::is_object_v<Result> &&
                                    std::is_move_constructible_v<Result> &&
                                    !is_view<std::remove_cv_t<Result>>);

template <typename T>
inline constexpr bool is_polymorphic = false;
template <typename T>
inline constexpr bool is_polymorphic<std::pmr::polymorphic_allocator<T>> = true;

template <typename T, int Depth>
struct elements_in_arena : std::false_type {};

/// Whether a container, or one in it, gets its memory from whatever resource it
/// was given: the arena, most likely. It need not be so, but nothing else can
/// be told at compile time. How deep to look is bounded, for a type may be its
/// own element.
template <typename T, int Depth = 4>
struct in_arena : elements_in_arena<T, Depth> {};
template <typename T, int Depth>
requires is_polymorphic<typename T::allocator_type>
struct in_arena<T, Depth> : std::true_type {
};
template <typename... T, int Depth>
struct in_arena<std::tuple<T...>, Depth>
    : std::disjunction<in_arena<std::remove_cv_t<T>, Depth>...> {};
template <typename T, typename U, int Depth>
struct in_arena<std::pair<T, U>, Depth> : in_arena<std::tuple<T, U>, Depth> {};

template <typename T>
concept has_elements = requires {
  typename T::value_type;
};
template <has_elements T, int Depth>
requires(Depth > 0) struct elements_in_arena<T, Depth>
    : in_arena<std::remove_cv_t<typename T::value_type>, Depth - 1> {
};

}  // namespace detail

/// Has exactly one, non-template call operator (or is a function pointer).
template <typename Handler>
concept callable_handler = requires {
  typename detail::handler_traits<std::decay_t<Handler>>::type;
};

template <typename Handler>
using signature_of =
    typename detail::handler_traits<std::decay_t<Handler>>::type;

}  // namespace hotplate::inline HOTPLATE_ABI
