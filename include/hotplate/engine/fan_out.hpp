#pragma once

#include <iterator>
#include <type_traits>
#include <vector>

#include "hotplate/base/owned.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/take.hpp"

// Many invocations of one function, for which one caller waits.

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Inputs that are copied as bytes, and lie one behind the other: starting an
/// invocation for each runs no code of the host's.
template <typename Inputs, typename... Args>
concept plain_inputs = sizeof...(Args) == 1 && requires(const Inputs& inputs) {
  std::size(inputs);
  requires(std::is_same_v<std::remove_cvref_t<decltype(*std::data(inputs))>,
                          std::remove_cvref_t<Args>> &&
           ...);
  requires(std::is_trivially_copyable_v<std::remove_cvref_t<Args>> && ...);
};

/// Starts invocations one right after the other, with nobody else's code
/// between (but meters', which hear of one that is refused), so that the clock
/// is read, and workers are told, but once for several of them. Then waits for
/// each, in that order; who is not waited for goes on by itself. Thread safety:
/// its caller's only, but for cancel() once all are started.
class fan_out {
 public:
  fan_out(core& engine, worker* here, std::size_t most)
      : engine_(engine), here_(here), started_(most) {}
  fan_out(const fan_out&) = delete;
  fan_out& operator=(const fan_out&) = delete;
  ~fan_out() {
    if (taken_ < count_) [[unlikely]]
      leave();
  }

  /// Null for one that got no record.
  void start(invocation* call) noexcept {
    if (count_ % at_once == 0) arrival_ = engine_.clock_now();
    one& last = started_[count_++];
    if (call == nullptr) [[unlikely]]
      return;
    last = {call, call->generation()};
    engine_.start(*call, here_, arrival_, submitted::among_others);
    // The first few soon, so that others come to help.
    const bool tells = (count_ & (count_ - 1)) == 0 || count_ % at_once == 0;
    if (tells) engine_.tell_workers();
  }
  void all_started() noexcept {
    if (count_ > 0) engine_.tell_workers();
  }

  void cancel() noexcept {
    for (std::size_t i = 0; i < count_; ++i) {
      const one& each = started_[i];
      if (each.call == nullptr) continue;
      engine_.cancel(*each.call, each.generation, errc::cancelled);
    }
  }

  /// The outcome of the next one, which has settled by then.
  template <typename R>
  outcome<R> take_next(std::string_view name) {
    invocation* const call = started_[taken_].call;
    if (call != nullptr) [[likely]]
      here_ = engine_.wait(*call, here_);
    ++taken_;  // Left by take_outcome(), also if that throws.
    if (call == nullptr) [[unlikely]]
      return no_record<R>(engine_, name);
    return take_outcome<R>(engine_, *call, here_);
  }

 private:
  static constexpr std::size_t at_once = 32;  // In about a microsecond.

  struct one {
    invocation* call;
    std::uint64_t generation;
  };

  HOTPLATE_NOINLINE void leave() noexcept {
    engine_.tell_workers();
    for (; taken_ < count_; ++taken_) {
      invocation* const call = started_[taken_].call;
      if (call != nullptr) engine_.leave(*call, engine_.here());
    }
  }

  core& engine_;
  worker* here_;
  std::int64_t arrival_ = 0;
  std::size_t count_ = 0;
  std::size_t taken_ = 0;
  const owned_array<one> started_;
};

/// Made where it is to be, by whatever constructs it from this.
template <typename Make>
struct made_in_place {
  operator decltype(auto)() const { return make(); }
  const Make& make;
};

template <typename R>
std::vector<outcome<R>> take_all(fan_out& started, std::size_t count,
                                 const std::stop_token& stop,
                                 std::string_view name) {
  started.all_started();
  const std::stop_callback cancelling(stop,
                                      [&]() noexcept { started.cancel(); });
  const auto next = [&] { return started.take_next<R>(name); };
  std::vector<outcome<R>> all;
  all.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    all.emplace_back(made_in_place<decltype(next)>{next});
  }
  return all;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
