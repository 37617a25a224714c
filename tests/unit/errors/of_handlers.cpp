#include "ways.hpp"

#include <stdexcept>
#include <string>

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::stage;

struct never_starts {
  never_starts() { throw std::runtime_error("no database"); }
  void operator()(context&) {}
};

}  // namespace

std::vector<way> ways_to_function_threw() {
  return {
      {"an exception", pumped(),
       [](engine& on) {
         return on
             .deploy("bad",
                     [](context&) { throw std::out_of_range("too far"); })()
             .error();
       },
       "bad", "threw std::out_of_range: too far", stage::handler},
      {"anything else", pumped(),
       [](engine& on) {
         return on.deploy("bad", [](context&) { throw 42; })().error();
       },
       "bad", "threw int: not a std::exception", stage::handler},
  };
}

std::vector<way> ways_to_out_of_memory() {
  constexpr std::int64_t most = 128 << 20;
  return {
      {"the arena", pumped(),
       [](engine& on) {
         return on
             .deploy("greedy",
                     [](context& ctx) {
                       (void)ctx.arena().allocate(std::size_t{129} << 20, 1);
                     })()
             .error();
       },
       "greedy", "used up its memory of 128 MiB", stage::handler, most,
       129 << 20},
      {"the event alone", pumped({.max_event_bytes = 1 << 30}),
       [](engine& on) {
         return on.invoke("fine", std::string(most + 1, 'x')).error();
       },
       "fine", "used up its memory of 128 MiB", stage::arrival, most, most + 1},
  };
}

std::vector<way> ways_to_init_failed() {
  return {
      {"the constructor", pumped(),
       [](engine& on) { return on.deploy<never_starts>("broken")().error(); },
       "broken", "threw std::runtime_error: no database", stage::init}};
}

std::vector<way> ways_to_response_too_large() {
  return {{"by name", pumped({.max_response_bytes = 4}),
           [](engine& on) {
             on.deploy("long", [](context&) { return std::string("12345"); });
             return on.invoke("long").error();
           },
           "long",
           "the response of function long has 5 bytes, the engine's limit is 4",
           stage::handler, 4, 5}};
}
