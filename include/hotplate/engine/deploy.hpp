#pragma once

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/typed.hpp"

// Handlers lose their types here; typed.hpp gives calls theirs back.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Kept as long as the version. A destructor that throws must not end the
/// process, least of all while the engine is being destroyed. Not made by
/// std::make_shared, whose tag is a symbol that keeps a shared object of g++
/// loaded for ever.
template <typename Callable>
std::shared_ptr<void> share(Callable callable) {
  return {new Callable(std::move(callable)), [](Callable* gone) noexcept {
            try {
              delete gone;
            } catch (...) {
            }
          }};
}

/// A callable: shared by all instances if it may be called const (and is then
/// called from several workers at once), else copied into each.
template <typename Callable>
handler erase_callable(module_id deployer, Callable callable) {
  const bool is_null = is_null_callable(callable);
  if constexpr (handler_traits<Callable>::is_const) {
    handler erased =
        describe_calls<const Callable, signature_of<Callable>>(deployer);
    erased.prototype = share(std::move(callable));
    erased.is_null = is_null;
    return erased;
  } else {
    static_assert(std::is_copy_constructible_v<Callable>,
                  "a handler that changes itself is copied into each instance, "
                  "so it must be copyable");
    handler erased = describe_calls<Callable, signature_of<Callable>>(deployer);
    erased.prototype = share(std::move(callable));
    erased.is_null = is_null;
    erased.state_size = sizeof(Callable);
    erased.state_alignment = alignof(Callable);
    erased.init = [](void* state, const void* prototype, init_context&) {
      new (state) Callable(*static_cast<const Callable*>(prototype));
    };
    erased.destroy = state_destroyer<Callable>();
    erased.on_retire = retirer<Callable>();
    return erased;
  }
}

/// A class: each instance is an object of it.
template <typename State>
handler erase_class(module_id deployer) {
  static_assert(std::is_constructible_v<State, init_context&> ||
                    std::is_default_constructible_v<State>,
                "an instance is constructed from an init_context& or from "
                "nothing");
  handler erased = describe_calls<State, signature_of<State>>(deployer);
  erased.state_size = sizeof(State);
  erased.state_alignment = alignof(State);
  erased.init = [](void* state, const void*, init_context& ctx) {
    if constexpr (std::is_constructible_v<State, init_context&>) {
      new (state) State(ctx);
    } else {
      new (state) State();
    }
  };
  if constexpr (std::is_copy_constructible_v<State>) {
    erased.copy = [](void* state, const void* from) {
      new (state) State(*static_cast<const State*>(from));
    };
  }
  erased.destroy = state_destroyer<State>();
  erased.on_retire = retirer<State>();
  return erased;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
