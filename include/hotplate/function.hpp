#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "hotplate/base/leash.hpp"
#include "hotplate/config.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/pending.hpp"
#include "hotplate/source_location.hpp"

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {
class core;
struct function_record;
}  // namespace detail

class engine;

template <typename Signature>
class function;

/// A deployed function, to be called without a codec or a lookup by name. It
/// follows the name: after a new deploy it calls the new version, after
/// `remove` its calls are `not_found`. Cheap to copy. Made by engine::deploy
/// (hotplate/engine.hpp defines the members).
/// Thread safety: all members may be called from any thread.
/// Lifetime: must not be used once its engine has ended; builds with assertions
/// then end the process with a message.
template <typename R, typename... Args>
class [[maybe_unused]] function<R(Args...)> {
 public:
  function(detail::core& core, detail::function_record& target,
           const detail::leash_post& engine) noexcept
      : core_(&core), target_(&target), leash_(engine) {}

  /// Invokes it and waits: a thread blocks, a handler's fiber suspends. The
  /// arguments move into the invocation; what a std::string_view or
  /// payload_view points to is copied there.
  outcome<R> operator()(
      Args... args, source_location where = source_location::current()) const;

  /// Starts it without waiting.
  pending<R> async(Args... args) const;

  /// Invokes it once for each of `inputs`, a range of its argument, or of
  /// tuples of its arguments, side by side. Waits for all; the outcomes come in
  /// the order of the inputs. Those above a limit are throttled.
  template <typename Inputs>
  std::vector<outcome<R>> invoke_all(
      const Inputs& inputs,
      source_location where = source_location::current()) const;

  /// The same function, called with `options`, whose views must outlive it.
  function with(const invoke_options& options) const {
    function changed = *this;
    changed.options_ = options;
    return changed;
  }

  std::string_view name() const noexcept;

 private:
  friend class engine;

  outcome<R> call_here(Args... args) const;
  template <typename Input>
  std::vector<outcome<R>> invoke_plain(const Input* inputs, std::size_t count,
                                       source_location where) const;

  detail::core& core() const noexcept {
    leash_.check("function handle", "used");
    return *core_;
  }

  detail::core* core_;
  detail::function_record* target_;
  invoke_options options_;
  [[no_unique_address]] detail::leash leash_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
