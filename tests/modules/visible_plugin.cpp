#include "hotplate/coroutine.hpp"
#include "plugin.hpp"

// A plugin of default visibility: of what it has in common with its host it
// calls the host's copy.

namespace {

using hotplate::engine;
using hotplate::outcome;
using hotplate::payload;

int twice(int n) { return 2 * n; }
int size_of(outcome<payload> of) { return static_cast<int>(of.value().size()); }

detached await_one(engine& on) {
  static_cast<void>(co_await on.invoke_async("long"));
}
detached await_two(engine& on) {
  auto one = on.invoke_async("long"), other = on.invoke_async("long");
  static_cast<void>(co_await hotplate::when_all(one, other));
}

}  // namespace

extern "C" void plugin_use_visible(engine* on) {
  on->deploy("visible_callable", &twice);
  on->deploy<shared::adder>("visible_class");
  on->invoke_async("long").then(&size_of).detach();
  await_one(*on);
  await_two(*on);
}

extern "C" hotplate::module_id plugin_this_module() {
  return hotplate::this_module();
}
