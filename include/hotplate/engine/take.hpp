#pragma once

#include <utility>
#include <vector>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/pending.hpp"

// How a caller takes what an invocation has come to.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The caller's side is done with a record when this is destroyed.
class departure {
 public:
  departure(core& engine, invocation& call, worker* here) noexcept
      : engine_(engine), call_(call), here_(here) {}
  departure(const departure&) = delete;
  departure& operator=(const departure&) = delete;
  ~departure() { engine_.leave(call_, here_); }

 private:
  core& engine_;
  invocation& call_;
  worker* here_;
};

template <typename R>
HOTPLATE_NOINLINE outcome<R> unusual_outcome(core& engine, invocation& call) {
  using stored = typename outcome<R>::stored;
  outcome<R> made =
      call.failure ? outcome<R>(std::move(call.failure), engine.usage_of(call))
                   : outcome<R>(std::move(*static_cast<stored*>(call.result)),
                                engine.usage_of(call));
  made.keep_log(call.log.take());
  return made;
}

/// Takes the outcome of a settled invocation; or throws, if the handler that
/// waited for it is itself over.
template <typename R>
outcome<R> take_outcome(core& engine, invocation& call, worker* here) {
  using stored = typename outcome<R>::stored;
  const departure leaving(engine, call, here);
  engine.throw_where_over(here);
  if (call.failure || call.options.keep_log) [[unlikely]]
    return unusual_outcome<R>(engine, call);
  return {std::move(*static_cast<stored*>(call.result)),
          [&]() noexcept { return engine.usage_of(call); }};
}

/// Starts one for each input, then takes all outcomes.
template <typename R, typename Inputs, typename Start>
std::vector<outcome<R>> get_all(const Inputs& inputs,
                                const std::stop_token& stop, const Start& start,
                                const source_location& where) {
  std::vector<pending<R>> started;
  if constexpr (requires { inputs.size(); }) started.reserve(inputs.size());
  for (const auto& input : inputs) started.push_back(start(input));
  const std::stop_callback cancelling(stop, [&]() noexcept {
    for (pending<R>& each : started) each.cancel();
  });
  std::vector<outcome<R>> all;
  all.reserve(started.size());
  for (pending<R>& each : started) all.push_back(each.get(where));
  return all;
}

HOTPLATE_NOINLINE inline failure lacks_record(core& engine,
                                              std::string_view name) noexcept {
  return engine.is_forked() ? is_unusable(engine, name)
                            : has_no_room(engine, name);
}

template <typename R>
HOTPLATE_NOINLINE outcome<R> no_record(core& engine, std::string_view name) {
  return outcome<R>(lacks_record(engine, name), usage{});
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
