#include "hotplate/registry/signature.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <memory_resource>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <typeinfo>
#include <utility>
#include <vector>

#include "hotplate/registry/readable.hpp"

namespace {

using hotplate::callable_handler;
using hotplate::context;
using hotplate::payload_view;
using hotplate::signature_of;
using hotplate::detail::handler_traits;
using hotplate::detail::in_arena;
using hotplate::detail::returnable;
using hotplate::detail::storable;
using hotplate::detail::stored_t;
using std::is_same_v;

struct point {};

struct counting {
  int operator()(context& ctx);
};
struct shared {
  int operator()(context& ctx, std::string text) const;
};
struct silent {
  void operator()(int value) noexcept;
};
struct shared_and_silent {
  void operator()() const noexcept;
};

using pointer = double (*)(context&, const point&);
using silent_pointer = bool (*)(int, int) noexcept;

// The context is left out of a signature; nothing else is.
static_assert(is_same_v<signature_of<counting>, int()>);
static_assert(is_same_v<signature_of<shared>, int(std::string)>);
static_assert(is_same_v<signature_of<silent>, void(int)>);
static_assert(is_same_v<signature_of<shared_and_silent>, void()>);
static_assert(is_same_v<signature_of<pointer>, double(const point&)>);
static_assert(is_same_v<signature_of<silent_pointer>, bool(int, int)>);
static_assert(is_same_v<signature_of<bool(int)>, bool(int)>);
static_assert(is_same_v<signature_of<const shared&>, int(std::string)>);
static_assert(is_same_v<signature_of<std::function<int(context&)>>, int()>);

static_assert(handler_traits<counting>::takes_context);
static_assert(handler_traits<pointer>::takes_context);
static_assert(!handler_traits<silent>::takes_context);
static_assert(!handler_traits<silent_pointer>::takes_context);

// A handler whose call is const is shared by all instances.
static_assert(!handler_traits<counting>::is_const);
static_assert(!handler_traits<silent>::is_const);
static_assert(handler_traits<shared>::is_const);
static_assert(handler_traits<shared_and_silent>::is_const);
static_assert(handler_traits<pointer>::is_const);
static_assert(handler_traits<silent_pointer>::is_const);

static_assert(callable_handler<counting>);
static_assert(callable_handler<const shared&>);
static_assert(callable_handler<pointer>);

// An invocation keeps values.
static_assert(is_same_v<stored_t<const std::string&>, std::string>);
static_assert(
    is_same_v<stored_t<std::unique_ptr<int>&&>, std::unique_ptr<int>>);
static_assert(storable<int> && storable<const int> && storable<const int&>);
static_assert(storable<std::unique_ptr<int>&&>);
static_assert(storable<std::string_view> && storable<payload_view>);
static_assert(!storable<int&>);
static_assert(!storable<std::mutex>);

static_assert(returnable<void> && returnable<int> && returnable<point>);
static_assert(returnable<std::unique_ptr<int>>);
static_assert(!returnable<int&> && !returnable<const std::string&>);
static_assert(!returnable<std::string_view> && !returnable<payload_view>);
static_assert(!returnable<std::span<int>> && !returnable<std::u8string_view>);
static_assert(!returnable<const std::string_view>);
static_assert(!returnable<std::mutex>);

// What would point into the arena, wherever in a result it is.
static_assert(in_arena<std::pmr::string>::value);
static_assert(in_arena<std::vector<std::pmr::string>>::value);
static_assert(in_arena<std::optional<std::pmr::vector<int>>>::value);
static_assert(in_arena<std::pair<int, std::pmr::string>>::value);
static_assert(in_arena<std::map<std::pmr::string, int>>::value);
static_assert(in_arena<std::tuple<int, const std::pmr::string>>::value);
static_assert(!in_arena<std::vector<std::map<std::string, point>>>::value);
static_assert(!in_arena<int>::value && !in_arena<hotplate::payload>::value);

struct tree {
  using value_type = std::vector<tree>;
};
static_assert(!in_arena<tree>::value);

TEST(signature_test, a_lambdas_signature_is_that_of_its_call) {
  const auto lambda = [](context&, int value) mutable { return 2L * value; };

  EXPECT_TRUE((is_same_v<signature_of<decltype(lambda)>, long(int)>));
}

std::string readable_name(const std::type_info& of) {
  return hotplate::detail::readable(of.name());
}

TEST(readable_test, a_signature_is_shown_as_in_the_source) {
  EXPECT_EQ(readable_name(typeid(bool(int, double))), "bool (int, double)");
  EXPECT_EQ(readable_name(typeid(std::string(std::string_view))),
            "std::string (std::string_view)");
  EXPECT_EQ(readable_name(typeid(std::vector<std::string>())),
            "std::vector<std::string, std::allocator<std::string > > ()");
  EXPECT_EQ(readable_name(typeid(void(hotplate::usage))),
            "void (hotplate::usage)");
  EXPECT_EQ(readable_name(typeid(int(*)[3])), "int (*) [3]");
}

TEST(readable_test, what_is_no_mangled_name_is_shown_as_it_is) {
  EXPECT_EQ(hotplate::detail::readable("not mangled"), "not mangled");
}

}  // namespace
