#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/send.hpp"

// P13: a host-pumped engine on a manual clock is a simulation. The same random
// day twice leaves the same trace, record for record.

namespace {

using hotplate::context;
using hotplate::engine;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Writes down all that the engine tells, but for its own random identity.
struct trace final : hotplate::meter {
  void on_invocation(
      const hotplate::metered_invocation& call) noexcept override {
    const hotplate::usage& used = call.usage;
    text += fmt::format(
        "{} {} v{} {} {}/{} {} {} q{} i{} d{} s{} a{}: {}\n", used.id.number,
        call.function, used.version, call.tenant, to_string(used.status),
        to_string(used.reached), static_cast<int>(used.start), used.attempt,
        used.queued.count(), used.init.count(), used.duration.count(),
        used.suspended.count(), used.arena_peak_bytes,
        call.failure != nullptr ? call.failure->message : "");
  }
  std::string text;
};

/// One day: who is deployed, invoked, sent, cancelled and removed when.
class day {
 public:
  explicit day(unsigned seed) : random_(seed) {
    for (const auto* const name : {"a", "b", "c"}) deploy(name);
    for (int i = 0; i < 300; ++i) step();
    engine_.run_until_idle();
    engine_.run_for(std::chrono::hours(1));
    started_.clear();
  }
  const std::string& seen() const { return trace_.text; }

 private:
  int drawn(int most) {
    return static_cast<int>(random_() % static_cast<unsigned>(most));
  }
  std::string name() { return std::string(1, "abcd"[drawn(4)]); }

  void deploy(const std::string& name) {
    engine_.deploy(name,
                   [this, noise = 0](context& ctx, int how) mutable {
                     return handle(ctx, how, ++noise);
                   },
                   {.timeout = milliseconds(40 + drawn(60)),
                    .max_concurrency = 1 + drawn(4),
                    .max_waiting = drawn(3),
                    .keep_alive = milliseconds(drawn(200)),
                    .max_uses = drawn(20),
                    .retry = {.first_backoff = milliseconds(20)}});
  }
  int handle(context& ctx, int how, int noise) {
    trace_.text +=
        fmt::format("{} {}\n", ctx.now().time_since_epoch().count(), how);
    if (how % 7 == 0) throw std::runtime_error("no luck");
    if (how % 3 == 0) ctx.sleep_for(milliseconds(how));
    if (how % 5 == 0) ctx.yield();
    if (how % 4 == 0) (void)ctx.invoke("b", std::to_string(how / 2 + 1));
    (void)ctx.arena().allocate(static_cast<std::size_t>(how) * 10 + 1, 1);
    return noise;
  }
  void step() {
    const std::string event = std::to_string(drawn(90));
    switch (drawn(12)) {
      case 0:
        return deploy(name());
      case 1:
        return static_cast<void>(engine_.remove("d"));
      case 2:
        return static_cast<void>(engine_.send(name(), event));
      case 3:
        if (!started_.empty()) started_[random_() % started_.size()].cancel();
        return;
      case 4:
        return engine_.run_for(milliseconds(drawn(60)));
      case 5:
        return static_cast<void>(engine_.poll());
      default:
        started_.push_back(engine_.invoke_async(
            name(), event,
            {.deadline = engine_.now() + milliseconds(drawn(120)),
             .tenant = drawn(2) == 0 ? "acme" : "other"}));
    }
  }

  std::minstd_rand random_;
  hotplate::manual_clock clock_;
  trace trace_;
  engine engine_{{.workers = 0,
                  .max_concurrency = 8,
                  .max_concurrency_per_tenant = 5,
                  .clock = &clock_,
                  .meters = {&trace_}}};
  std::vector<hotplate::pending<hotplate::payload>> started_;
};

TEST(simulation, the_same_seed_leaves_the_same_trace) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    const day once(seed), again(seed);
    ASSERT_EQ(once.seen(), again.seen()) << "seed " << seed;
  }
}

TEST(simulation, a_day_has_something_of_everything) {
  std::string all;
  for (unsigned seed = 1; seed <= 30; ++seed) all += day(seed).seen();
  for (const auto* const word :
       {" ok/", " throttled/", " timed_out/", " cancelled/", " not_found/",
        " function_threw/"}) {
    EXPECT_NE(all.find(word), std::string::npos) << word;
  }
  EXPECT_NE(day(1).seen(), day(2).seen());
}

}  // namespace
