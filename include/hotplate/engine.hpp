#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hotplate/alias.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/config.hpp"
#include "hotplate/context.hpp"
#include "hotplate/engine/by_name.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/deploy.hpp"
#include "hotplate/engine/resident.hpp"
#include "hotplate/engine/then.hpp"
#include "hotplate/events.hpp"
#include "hotplate/function.hpp"
#include "hotplate/pending.hpp"
#include "hotplate/retire.hpp"
#include "hotplate/stats.hpp"
#include "hotplate/view.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// Runs deployed functions in this process. Start here.
/// Setting up throws, running returns: the constructor and deploy() throw
/// bad_config (and std::system_error or std::bad_alloc where the host has no
/// more threads or memory); from invoke() on, everything is an outcome.
/// Thread safety: all members may be called from any thread, except the
/// destructor. Pendings must not outlive the engine, nor function handles be
/// used then (builds with assertions check); outcomes may.
class engine : public event_sender<engine>, public engine_view<engine> {
 public:
  explicit engine(engine_config config = {})
      : core_(detail::make_owned<detail::core>(std::move(config))) {}

  /// Cancels what has not settled, answers every waiter, then waits for
  /// handlers that run, naming the oldest on stderr each second. A forked child
  /// leaks it.
  ~engine() {
    if (core_->is_forked()) static_cast<void>(core_.release());
  }
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;

  /// Deploys a callable: handler(context&, parameters...) or
  /// handler(parameters...). Instances share it if it can be called const,
  /// else each has its own copy. Deploying a name again publishes a new
  /// version: what is in flight finishes on the old one.
  /// Errors: bad_config; signature_changed if the live version of that name
  /// takes or returns something else (remove it first).
  // The leading parameter keeps deploy<State>() from meaning this overload.
  template <int = 0, callable_handler Handler>
  HOTPLATE_OWN_COPY function<signature_of<Handler>> deploy(
      std::string name, Handler&& handler, function_config config = {}) {
    using target = std::decay_t<Handler>;
    detail::handler how = detail::erase_callable<target>(
        this_module(), std::forward<Handler>(handler));
    detail::function_record& deployed =
        core_->deploy(std::move(name), std::move(how), config);
    return {*core_, deployed, core_->leashes()};
  }

  /// Deploys a class whose objects are the instances: constructed at a cold
  /// start, from an init_context& or by default, and called for each event.
  template <typename State>
  requires callable_handler<State> HOTPLATE_OWN_COPY
      function<signature_of<State>>
      deploy(std::string name, function_config config = {}) {
    detail::function_record& deployed = core_->deploy(
        std::move(name), detail::erase_class<State>(this_module()), config);
    return {*core_, deployed, core_->leashes()};
  }

  /// What is in flight finishes; from now on the name is `not_found`, and so
  /// are its versions and aliases. "name:3" removes that version only,
  /// "name:prod" that alias. False if there was none.
  /// Errors: bad_config for a version that is live or an alias's.
  bool remove(std::string_view name) { return core_->remove(name); }

  /// Makes the version that the live one replaced live again; returns its
  /// number. Deploying after that publishes the next number, and rolls back to
  /// what is live now. Errors: bad_config if there is no such version.
  std::uint32_t roll_back(std::string_view name) {
    return core_->roll_back(name);
  }

  /// Points the alias "name:alias" at one version of a function, or at two by
  /// weight, from the next invocation on. Which of two an invocation takes
  /// follows from its request id. Errors: bad_config.
  void alias(std::string_view name, std::string_view alias,
             const std::vector<weighted_version>& at) {
    core_->alias(name, alias, at);
  }

  /// Invokes a function by name: "name" and "name:$LATEST" are its live
  /// version, "name:3" its version 3, "name:prod" what that alias points at. A
  /// version neither live nor an alias's keeps no instance warm.
  /// Blocks the thread until it has settled; within a handler of this engine,
  /// suspends the fiber instead. The event is copied into the invocation.
  outcome<payload> invoke(
      std::string_view name, payload_view event = {},
      const invoke_options& options = {},
      const source_location& where = source_location::current()) {
    return detail::invoke_encoded(*core_, name, event, options,
                                  core_->here_or_throw(where));
  }
  /// The same; the event moves and is not copied.
  template <std::same_as<payload> Owned>
  outcome<payload> invoke(
      std::string_view name, Owned&& event, const invoke_options& options = {},
      const source_location& where = source_location::current()) {
    return detail::invoke_encoded(*core_, name, std::forward<Owned>(event),
                                  options, core_->here_or_throw(where));
  }

  /// Invokes a function on the calling thread and its stack; where the handler
  /// suspends, the thread waits. Returns once the handler has ended, which sees
  /// its deadline at suspension points and by `cancelled()` only. Views are not
  /// copied. One that has to wait for a place runs on a worker. In a handler of
  /// this engine, and host-pumped, the same as calling or invoke().
  template <typename R, typename... Args>
  outcome<R> invoke_here(const function<R(Args...)>& target,
                         std::type_identity_t<Args>... args) {
    return target.call_here(std::forward<Args>(args)...);
  }
  outcome<payload> invoke_here(std::string_view name, payload_view event = {},
                               const invoke_options& options = {}) {
    return detail::invoke_encoded_here(*core_, name, event, options);
  }

  /// Starts an invocation without waiting for it.
  pending<payload> invoke_async(std::string_view name, payload_view event = {},
                                const invoke_options& options = {}) {
    return detail::start_encoded(*core_, name, event, options);
  }
  template <std::same_as<payload> Owned>
  pending<payload> invoke_async(std::string_view name, Owned&& event,
                                const invoke_options& options = {}) {
    return detail::start_encoded(*core_, name, std::forward<Owned>(event),
                                 options);
  }

  /// Invokes a function once for each of `events`, a range of what converts to
  /// a payload_view, side by side. Waits for all; the outcomes come in the
  /// order of the events. Those above a limit are throttled.
  template <typename Events>
  std::vector<outcome<payload>> invoke_all(
      std::string_view name, const Events& events,
      const invoke_options& options = {},
      source_location where = source_location::current()) {
    const auto start = [&](payload_view event) {
      return invoke_async(name, event, options);
    };
    return detail::get_all<payload>(events, options.stop, start, where);
  }

  // A host-pumped engine (`workers` = 0) runs in these; others do nothing.

  /// Runs what is ready, due timers included; returns how many things ran.
  std::size_t poll() { return core_->poll(); }

  /// Runs until none is in flight: waits for timers, or moves a manual clock.
  void run_until_idle() { core_->run_until_idle(); }

  /// Steps a manual clock to `when`, by every timer on the way. What completes
  /// then has completed; what is invoked next comes ahead of deadlines and
  /// expiries due then.
  void run_until(time_point when) { core_->run_until(when); }
  void run_for(std::chrono::nanoseconds time) {
    run_until(detail::after(now(), time));
  }

  /// Refuses new invocations, and at the deadline answers every caller left.
  using engine_view<engine>::drain;  // Of a shared object alone.
  drain_report drain(std::chrono::nanoseconds within) {
    return core_->drain(within);
  }

  /// Sets how many invocations of a tenant may be in flight at once, overruns
  /// included: 0 shuts it out, std::nullopt is max_concurrency_per_tenant
  /// again. Those from before the first limit do not count. Errors: bad_config.
  void limit_tenant(std::string_view name, std::optional<std::int64_t> to) {
    core_->limit_tenant(name, to);
  }

  /// The engine's clock.
  time_point now() const noexcept { return core_->now(); }

 private:
  friend detail::access;

  detail::owned<detail::core> core_;
};

}  // namespace hotplate::inline HOTPLATE_ABI
