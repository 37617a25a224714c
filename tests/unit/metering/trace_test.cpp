#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "hotplate/coroutine.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/send.hpp"

// The trace context, from the caller to everything that follows from the call.

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view trace =
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view other =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

struct trace_listener final : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation& call) override {
    seen.push_back(std::string(call.function) + " " + std::string(call.trace));
  }
  std::vector<std::string> seen;
};

std::string with(std::string_view function, std::string_view of) {
  return std::string(function) + " " + std::string(of);
}

class trace_test : public testing::Test {
 protected:
  trace_listener meter_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{
      {.workers = 0, .clock = &clock_, .meters = {&meter_}}};
  const hotplate::function<std::string()> tell_ = engine_.deploy(
      "tell", [](context& ctx) { return std::string(ctx.trace()); });
};

TEST_F(trace_test, the_handler_and_meters_see_the_callers) {
  const std::string given(trace);

  EXPECT_EQ(tell_.with({.trace = given})().value(), trace);
  EXPECT_EQ(tell_().value(), "") << "the record may have been used before";

  EXPECT_THAT(meter_.seen, ElementsAre(with("tell", trace), "tell "));
}

TEST_F(trace_test, meters_see_it_of_what_was_refused) {
  (void)engine_.invoke("nobody", {}, {.trace = trace});

  EXPECT_THAT(meter_.seen, ElementsAre(with("", trace)));
}

TEST_F(trace_test, it_is_kept_for_an_invocation_that_outlives_the_call) {
  auto given = std::string(trace);
  auto pending = tell_.with({.trace = given}).async();
  given.assign(given.size(), 'x');

  EXPECT_EQ(pending.get().value(), trace);
}

TEST_F(trace_test, nested_invocations_inherit_it_unless_given_their_own) {
  const auto outer = engine_.deploy("outer", [&](context& ctx) {
    auto detached = tell_.async();
    return tell_().value() + "|" + tell_.with({.trace = other})().value() +
           "|" + ctx.invoke("tell", {}, {.tenant = "t"}).value().text().data() +
           "|" + detached.get().value();
  });

  const auto seen = outer.with({.tenant = "a", .trace = trace})().value();

  const std::string own(trace);
  EXPECT_EQ(seen, own + "|" + std::string(other) + "|" + own + "|" + own);
}

TEST_F(trace_test, a_tenant_is_not_inherited_with_it) {
  const auto whose = engine_.deploy("whose", [](context& ctx) {
    return std::string(ctx.tenant()) + "/" + std::string(ctx.trace());
  });
  const auto outer =
      engine_.deploy("outer", [&](context&) { return whose().value(); });

  EXPECT_EQ(outer.with({.tenant = "acme", .trace = trace})().value(),
            with("", "/" + std::string(trace)).substr(1));
}

TEST_F(trace_test, what_continues_an_invocation_passes_it_on) {
  auto next = tell_.with({.trace = trace})
                  .async()
                  .then([&](const hotplate::outcome<std::string>&) {
                    return tell_().value();
                  });

  EXPECT_EQ(next.get().value(), trace);
}

TEST_F(trace_test, events_carry_it_to_each_attempt_and_their_destination) {
  engine_.deploy("note", [](context&, const hotplate::delivery&) {});
  engine_.deploy("fail", [](context&) { throw std::runtime_error("no"); },
                 {.retry = {.max_attempts = 2}, .on_failure = "note"});

  (void)engine_.send("fail", {}, {.trace = trace});
  engine_.run_until_idle();

  EXPECT_THAT(meter_.seen, ElementsAre(with("fail", trace), with("fail", trace),
                                       with("note", trace)));
}

TEST_F(trace_test, what_a_handler_sends_inherits_it) {
  const auto sender =
      engine_.deploy("sender", [&](context&) { (void)engine_.send("tell"); });

  sender.with({.trace = trace})().value();
  engine_.run_until_idle();

  EXPECT_THAT(meter_.seen,
              ElementsAre(with("sender", trace), with("tell", trace)));
}

// Names and sizes at and above the limit.
TEST_F(trace_test, its_length_and_a_tenants_are_bounded) {
  const std::string longest(128, 't'), tenant(64, 'a');

  EXPECT_EQ(tell_.with({.tenant = tenant, .trace = longest})().value(),
            longest);
  const auto refused = tell_.with({.trace = longest + "t"})();
  const auto other_refused = tell_.with({.tenant = tenant + "a"})();
  const auto sent = engine_.send("tell", {}, {.trace = longest + "t"});

  EXPECT_EQ(refused.code(), errc::bad_event);
  EXPECT_EQ(refused.error().limit, 128);
  EXPECT_EQ(refused.error().value, 129);
  EXPECT_EQ(refused.error().message,
            "the trace context for function tell has 129 bytes, the limit is "
            "128");
  EXPECT_THAT(other_refused.error().message,
              HasSubstr("tenant's name for function tell has 65 bytes"));
  EXPECT_EQ(sent.code(), errc::bad_event);
  EXPECT_EQ(tell_().usage().arena_peak_bytes,
            tell_.with({.tenant = tenant, .trace = longest})()
                .usage()
                .arena_peak_bytes)
      << "they take no memory of the handler's";
}

// The tenant used to be in the arena, which is gone when meters are told.
TEST_F(trace_test, a_meter_sees_the_tenant_beside_large_arguments) {
  struct tenant_listener final : hotplate::meter {
    void on_invocation(const hotplate::metered_invocation& call) override {
      seen.emplace_back(call.tenant);
    }
    std::vector<std::string> seen;
  } listener;
  engine_.add_meter(listener);
  using large = std::array<char, 250>;
  const auto take = engine_.deploy("take", [](context& ctx, const large& all) {
    return std::string(ctx.tenant()) + all[0];
  });

  EXPECT_EQ(take.with({.tenant = "acme"})(large{'!'}).value(), "acme!");

  EXPECT_THAT(listener.seen, ElementsAre("acme"));
  engine_.remove_meter(listener);
}

}  // namespace
