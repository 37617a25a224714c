#include "ways.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <stop_token>
#include <string>
#include <vector>

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using hotplate::error;
using hotplate::stage;
using std::chrono::milliseconds;
using std::chrono::seconds;

// What a stop token's callback meets, when the pump itself ends an invocation.
template <typename Meet>
error met_at_the_timeout(engine& on, const Meet& meet) {
  error met;
  (void)on.deploy("late", [&](context& ctx) {
    const std::stop_callback ending(ctx.stop_token(), [&] { met = meet(); });
    ctx.sleep_for(seconds(60));
  })();
  return met;
}

// The child tells by a pipe what it was told.
template <typename Call>
error in_a_child(const Call& call) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  const pid_t child = fork();
  if (child == 0) {
    const error why = call();
    const std::string told = std::to_string(static_cast<int>(why.code)) + "\n" +
                             why.function + "\n" + why.message;
    _exit(write(ends[1], told.data(), told.size()) < 0 ? 1 : 0);
  }
  close(ends[1]);
  std::string told(4096, '\0');
  told.resize(static_cast<std::size_t>(
      std::max<ssize_t>(0, read(ends[0], told.data(), told.size()))));
  close(ends[0]);
  waitpid(child, nullptr, 0);
  const std::size_t first = told.find('\n'),
                    second = told.find('\n', first + 1);
  error why;
  why.code = static_cast<errc>(std::stoi(told));
  why.function = told.substr(first + 1, second - first - 1);
  why.message = told.substr(second + 1);
  return why;
}

}  // namespace

std::vector<way> ways_to_already_pumping() {
  return {
      {"a blocking call", pumped(),
       [](engine& on) {
         return met_at_the_timeout(on,
                                   [&] { return on.invoke("fine").error(); });
       },
       "fine", "within the pump, but not in a handler", stage::queue},
      {"waiting for what was started", pumped(),
       [](engine& on) {
         auto started =
             on.deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(5)); },
                       {.timeout = seconds(10)})
                 .async();
         return met_at_the_timeout(on, [&] { return started.get().error(); });
       },
       "nap", "within the pump, but not in a handler", stage::handler},
  };
}

std::vector<way> ways_to_stalled() {
  return {
      {"what an executor keeps", pumped(),
       [](engine& on) {
         std::vector<hotplate::continuation> kept;
         auto next = on.invoke_async("fine", "")
                         .then(
                             [&](hotplate::continuation given) {
                               kept.push_back(std::move(given));
                             },
                             [](auto&&) {});
         error why = next.get().error();
         return why;
       },
       "", "(continuation) cannot go on: nothing is ready and no timer",
       stage::handler},
  };
}

std::vector<way> ways_to_draining() {
  return {
      {"a call", pumped(),
       [](engine& on) {
         on.drain(seconds(1));
         return on.invoke("fine").error();
       },
       "fine", "is not run: the engine is shutting down"},
      {"one in flight", pumped(),
       [](engine& on) {
         auto started = on.deploy("nap", nap).async();
         on.drain(milliseconds(10));
         return started.get().error();
       },
       "nap", "was ended: the engine is shutting down", stage::handler},
      {"an event", pumped(),
       [](engine& on) {
         on.drain(seconds(1));
         return on.send("fine", "").error();
       },
       "fine", "is sent nothing more: the engine is shutting down"},
  };
}

std::vector<way> ways_to_engine_unusable() {
  return {
      {"a call", threaded(),
       [](engine& on) {
         return in_a_child([&] { return on.invoke("fine").error(); });
       },
       "fine", "was forked from the engine's"},
      {"a typed call", threaded(),
       [](engine& on) {
         const auto f = on.deploy("typed", [](context&) {});
         return in_a_child([&] { return f().error(); });
       },
       "typed", "was forked from the engine's"},
      {"what was started before", threaded(),
       [](engine& on) {
         auto started = on.deploy("nap", [](context& ctx) {
                            ctx.sleep_for(milliseconds(100));
                          }).async();
         const error why = in_a_child([&] {
           started.wait_until(hotplate::no_deadline);
           return started.get().error();
         });
         EXPECT_TRUE(started.get());
         return why;
       },
       "nap", "was forked from the engine's"},
      {"an event", threaded(),
       [](engine& on) {
         return in_a_child([&] { return on.send("fine", "").error(); });
       },
       "fine", "was forked from the engine's"},
  };
}
