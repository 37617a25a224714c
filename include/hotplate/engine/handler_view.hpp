#pragma once

#include "hotplate/engine/core.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The engine behind a context.
class handler_view final : public context_host {
 public:
  explicit handler_view(invocation& call) noexcept : call_(call) {}

  std::string_view function_name() const noexcept override {
    return call_.target->name;
  }
  std::string_view tenant() const noexcept override {
    return call_.options.tenant;
  }
  usage usage_so_far() const noexcept override {
    usage so_far;
    engine().write_usage(call_, errc::ok, engine().clock_now(), so_far);
    so_far.arena_peak_bytes = call_.memory.used();
    return so_far;
  }
  time_point now() const noexcept override { return engine().now(); }
  time_point deadline() const noexcept override {
    return core::as_time(call_.deadline.load(std::memory_order_relaxed));
  }
  bool cancelled() const noexcept override { return engine().is_over(call_); }
  void sleep_until(time_point when) override {
    engine().sleep_until(call_, core::as_count(when));
  }
  void yield() override { engine().yield(call_); }
  outcome<payload> invoke(std::string_view name, payload_view event,
                          const invoke_options& options) override;

 private:
  core& engine() const noexcept { return *call_.engine; }

  invocation& call_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
