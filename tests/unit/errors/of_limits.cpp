#include "ways.hpp"

#include <latch>
#include <thread>
#include <vector>

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::error;
using hotplate::stage;

/// Of what is called while `busy` of `function` are in flight.
error beyond(const hotplate::function<void()>& function, int busy) {
  std::vector<hotplate::pending<void>> all;
  for (int i = 0; i < busy; ++i) all.push_back(function.async());
  return function().error();
}

}  // namespace

std::vector<way> ways_to_throttled() {
  return {
      {"the function's limit", pumped(),
       [](engine& on) {
         return beyond(on.deploy("nap", nap, {.max_concurrency = 2}), 2);
       },
       "nap", "2 of 2 concurrent invocations of this function",
       stage::admission, 2, 2},
      {"those who wait for it", pumped(),
       [](engine& on) {
         return beyond(
             on.deploy("nap", nap, {.max_concurrency = 1, .max_waiting = 1}),
             2);
       },
       "nap", "1 of 1 concurrent invocations of this function",
       stage::admission, 1, 1},
      {"the engine's limit", pumped({.max_concurrency = 3}),
       [](engine& on) { return beyond(on.deploy("nap", nap), 3); }, "nap",
       "3 of 3 concurrent invocations of the engine", stage::admission, 3, 3},
      {"reserved places", pumped(),
       [](engine& on) {
         return beyond(on.deploy("nap", nap, {.reserved_concurrency = 1}), 1);
       },
       "nap", "1 of 1 concurrent invocations of this function",
       stage::admission, 1, 1},
      {"a function switched off", pumped(),
       [](engine& on) {
         return beyond(on.deploy("nap", nap, {.reserved_concurrency = 0}), 0);
       },
       "nap", "0 of 0 concurrent invocations of this function",
       stage::admission, 0, 0},
      {"a tenant's limit", pumped({.max_concurrency_per_tenant = 1}),
       [](engine& on) {
         return beyond(on.deploy("nap", nap).with({.tenant = "acme"}), 1);
       },
       "nap", "1 of 1 concurrent invocations of this tenant", stage::admission,
       1, 1},
      {"the number of tenants",
       pumped({.max_concurrency_per_tenant = 1, .max_tenants = 1}),
       [](engine& on) {
         const auto f = on.deploy("nap", nap);
         const auto other = f.with({.tenant = "other"}).async();
         return f.with({.tenant = "acme"})().error();
       },
       "nap", "tenant acme is one too many, 1 tenants", stage::admission, 1, 1},
      {"instances", pumped(),
       [](engine& on) {
         const auto f = on.deploy("nap", nap, {.max_instances = 1});
         auto first = f.async();
         on.poll();
         return f().error();
       },
       "nap", "all 1 instances that max_instances allows", stage::queue, 1, 1},
      {"queued events", pumped({.max_queued_events = 0}),
       [](engine& on) { return on.send("fine", "").error(); }, "fine",
       "0 of 0 sent events are queued", stage::arrival, 0, 0},
      {"idempotency keys", pumped({.max_event_keys = 0}),
       [](engine& on) { return on.send("fine", "", {.key = "k"}).error(); },
       "fine", "all 0 idempotency keys", stage::arrival, 0, 0},
  };
}

std::vector<way> ways_to_resource_exhausted() {
  return {{"threads in invoke_here", threaded({.max_guest_threads = 1}),
           [](engine& on) {
             std::latch inside(1), leave(1);
             const auto wait = on.deploy("wait", [&](context&, bool stay) {
               if (!stay) return;
               inside.count_down();
               leave.wait();
             });
             std::thread other([&] { (void)on.invoke_here(wait, true); });
             inside.wait();
             error why = on.invoke_here(wait, false).error();
             leave.count_down();
             other.join();
             return why;
           },
           "wait", "1 threads are in invoke_here (max_guest_threads)",
           stage::queue, 1, 1}};
}
