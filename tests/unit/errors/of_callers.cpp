#include "ways.hpp"

#include <stop_token>
#include <string>

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::error;
using hotplate::stage;
using std::chrono::milliseconds;
using std::chrono::seconds;

error late(engine& on, const hotplate::function_config& config,
           hotplate::time_point deadline = hotplate::no_deadline) {
  return on.deploy("nap", nap, config).with({.deadline = deadline})().error();
}

struct slow_start {
  slow_start() { moved_clock->advance(seconds(11)); }
  void operator()(context&) {}
};

}  // namespace

std::vector<way> ways_to_not_found() {
  return {
      {"a name", pumped(),
       [](engine& on) { return on.invoke("missing").error(); }, "missing",
       "no function missing is deployed"},
      {"a name that cannot be one", pumped(),
       [](engine& on) {
         return on.invoke({"a\0b\xC3\xA4", 5}).error();
       },
       std::string("a\0b\xC3\xA4", 5), R"(no function a\x00b\xc3\xa4 is)"},
      {"a name longer than any", pumped(),
       [](engine& on) { return on.invoke(std::string(1 << 20, 'n')).error(); },
       std::string(160, 'n'), "no function " + std::string(80, 'n') + "... is"},
      {"a version", pumped(),
       [](engine& on) { return on.invoke("fine:7").error(); }, "fine",
       "no version or alias 7"},
      {"a handle of what was removed", pumped(),
       [](engine& on) {
         const auto gone = on.deploy("gone", [](context&) {});
         on.remove("gone");
         return gone().error();
       },
       "gone", "no function gone is deployed"},
      {"an event's function", pumped(),
       [](engine& on) { return on.send("missing", "").error(); }, "missing",
       "no function missing is deployed"},
  };
}

std::vector<way> ways_to_timed_out() {
  return {
      {"the function's timeout", pumped(),
       [](engine& on) { return late(on, {.timeout = milliseconds(250)}); },
       "nap", "after 0.250 seconds in stage handler", stage::handler, 250, 250},
      {"the caller's deadline", pumped(),
       [](engine& on) { return late(on, {}, on.now() + milliseconds(40)); },
       "nap", "after 0.040 seconds in stage handler", stage::handler, 40, 40},
      {"a deadline that is over", pumped(),
       [](engine& on) {
         on.run_for(seconds(5));
         return late(on, {}, on.now() - milliseconds(1'500));
       },
       "nap", "after 0.000 seconds in stage queue, waiting for a worker",
       stage::queue, 0, 0},
      {"a deadline before all time", pumped(),
       [](engine& on) { return late(on, {}, hotplate::time_point::min()); },
       "nap", "after 0.000 seconds in stage queue", stage::queue, 0, 0},
      {"waiting for a place", pumped(),
       [](engine& on) {
         const auto f = on.deploy("nap", nap,
                                  {.timeout = milliseconds(600),
                                   .max_concurrency = 1,
                                   .max_waiting = 1});
         auto first = f.async();
         return f.with({.deadline = on.now() + milliseconds(70)})().error();
       },
       "nap",
       "after 0.070 seconds in stage admission, waiting for one of the 1 "
       "places of this function",
       stage::admission, 70, 70},
      {"waiting for one of the engine's", pumped({.max_concurrency = 2}),
       [](engine& on) {
         const auto f =
             on.deploy("nap", nap, {.timeout = seconds(60), .max_waiting = 1});
         auto first = f.async(), second = f.async();
         return f.with({.deadline = on.now() + milliseconds(70)})().error();
       },
       "nap", "waiting for one of the 2 places of the engine", stage::admission,
       70, 70},
      {"the cold start's ten seconds", pumped(),
       [](engine& on) {
         return on.deploy<slow_start>("slow", {.timeout = seconds(60)})()
             .error();
       },
       "slow", "after 10.000 seconds in stage init", stage::init, 10'000,
       10'000},
  };
}

std::vector<way> ways_to_cancelled() {
  return {
      {"its pending", pumped(),
       [](engine& on) {
         auto started = on.deploy("nap", nap).async();
         on.poll();
         started.cancel();
         return started.get().error();
       },
       "nap", "was cancelled", stage::handler},
      {"the caller's stop token", pumped(),
       [](engine& on) {
         std::stop_source stop;
         stop.request_stop();
         return on.deploy("nap", nap)
             .with({.stop = stop.get_token()})()
             .error();
       },
       "nap", "was cancelled"},
      {"the same on the caller's thread", threaded(),
       [](engine& on) {
         std::stop_source stop;
         const auto f = on.deploy("nap", [&stop](context& ctx) {
           stop.request_stop();
           ctx.sleep_for(seconds(60));
         });
         return on.invoke_here(f.with({.stop = stop.get_token()})).error();
       },
       "nap", "was cancelled", stage::handler},
      {"its caller", pumped(),
       [](engine& on) {
         error inner;
         const auto f = on.deploy("nap", nap);
         const auto outer = on.deploy("outer", [&](context& ctx) {
           struct at_exit {
             ~at_exit() { seen = call().error(); }
             const hotplate::function<void()>& call;
             error& seen;
           } calling{f, inner};
           ctx.sleep_for(seconds(60));
         });
         auto started = outer.async();
         on.poll();
         started.cancel();
         on.run_until_idle();
         return inner;
       },
       "nap", "was cancelled"},
  };
}
