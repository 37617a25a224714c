#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "hotplate/hotplate.hpp"

// What the host and plugin.cpp, which is built by two compilers, agree on.

/// Types that compilers spell in different ways.
namespace shared {

enum class color : std::uint8_t { red, green };
template <typename T, auto Value>
struct tagged {
  T value{};
};
using nothing = std::optional<std::nullptr_t>;
using callback = int (*)(const char*, unsigned long) noexcept;

using nasty = std::map<
    std::string,
    std::variant<std::monostate, unsigned long, long long, char8_t,
                 std::vector<std::pair<std::string, std::vector<bool>>>,
                 tagged<std::shared_ptr<const volatile int* const[3]>, 7UL>,
                 tagged<color, color::green>, callback, nothing>,
    std::less<>>;

/// A class that the host deploys as well.
struct adder {
  int operator()(int n) { return sum += n; }
  int sum = 0;
};

}  // namespace shared

/// Ends by itself, and resumes nobody.
struct detached {
  struct promise_type {
    detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

using count_function = hotplate::function<int(int)>;
using nasty_function = hotplate::function<std::size_t(
    const shared::nasty&, std::string_view, unsigned char, wchar_t)>;

/// A plugin's functions, by type.
struct plugin_functions {
  count_function twice;
  nasty_function nasty;
};

/// What a plugin's code made and has not destroyed.
struct plugin_counts {
  int instances = 0;  ///< Alive.
  int captures = 0;   ///< Of handlers, alive.
  int made = 0;       ///< Instances, so far.
  int retired = 0;    ///< By the hook.
};

extern "C" {
/// Deploys own_*: own being "a" or "b", other the other plugin's.
using deploy_plugin = plugin_functions*(hotplate::engine* engine,
                                        const char* own, const char* other);
using use_visible_plugin = void(hotplate::engine* engine);
using plugin_module = hotplate::module_id();
using count_plugin = void(plugin_counts*);
}
