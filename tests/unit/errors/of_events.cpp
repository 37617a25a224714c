#include "ways.hpp"

#include <string>

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::stage;

}  // namespace

std::vector<way> ways_to_event_too_large() {
  return {
      {"by name", pumped({.max_event_bytes = 4}),
       [](engine& on) { return on.invoke("fine", "12345").error(); }, "fine",
       "the event of function fine has 5 bytes, the engine's limit is 4",
       stage::arrival, 4, 5},
      {"sent", pumped({.max_async_event_bytes = 4}),
       [](engine& on) { return on.send("fine", "12345").error(); }, "fine",
       "has 5 bytes, the limit is 4", stage::arrival, 4, 5},
  };
}

std::vector<way> ways_to_bad_event() {
  static const std::string long_tenant(65, 't'), long_key(257, 'k');
  return {
      {"what does not decode", pumped(),
       [](engine& on) {
         on.deploy("twice", [](context&, int x) { return 2 * x; });
         return on.invoke("twice", "two").error();
       },
       "twice", "expected a number", stage::handler},
      {"a tenant's name", pumped(),
       [](engine& on) {
         return on.invoke("fine", "", {.tenant = long_tenant}).error();
       },
       "fine", "has 65 bytes, the limit is 64", stage::arrival, 64, 65},
      {"a sent event's tenant", pumped(),
       [](engine& on) {
         return on.send("fine", "", {.tenant = long_tenant}).error();
       },
       "fine", "has 65 bytes, the limit is 64", stage::arrival, 64, 65},
      {"an idempotency key", pumped(),
       [](engine& on) {
         return on.send("fine", "", {.key = long_key}).error();
       },
       "fine", "has 257 bytes, the limit is 256", stage::arrival, 256, 257},
  };
}

std::vector<way> ways_to_no_codec() {
  const auto pair = [](context&, int a, int b) { return a + b; };
  static const auto deploy = [pair](engine& on) { on.deploy("add", pair); };
  return {
      {"by name", pumped(),
       [](engine& on) {
         deploy(on);
         return on.invoke("add", "[1,2]").error();
       },
       "add", "codec"},
      {"sent", pumped(),
       [](engine& on) {
         deploy(on);
         return on.send("add", "[1,2]").error();
       },
       "add", "codec"},
  };
}
