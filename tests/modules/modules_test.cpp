#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/coroutine.hpp"
#include "hotplate/keep_alive.hpp"
#include "hotplate/send.hpp"
#include "loaded.hpp"
#include "traffic.hpp"

// One engine, made by this program, used by plugin A and plugin B, of which A
// is built by this program's compiler and B by another one, if there is one.

// What visible_plugin.cpp calls, the program has, too, and would export.
template hotplate::function<int(int)> hotplate::engine::deploy<0, int (*)(int)>(
    std::string, int (*&&)(int), hotplate::function_config);
template hotplate::function<int(int)> hotplate::engine::deploy<shared::adder>(
    std::string, hotplate::function_config);
template hotplate::pending<int> hotplate::pending<hotplate::payload>::then(
    int (*)(hotplate::outcome<hotplate::payload>));
template class hotplate::detail::awaiting<hotplate::payload>;
[[gnu::used]] constexpr auto await_several =
    &hotplate::detail::awaiting_several::await_suspend;

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const char* const functions[] = {
    "count",   "twice", "lock",      "throw", "long", "block", "nested",
    "pass_on", "then",  "coroutine", "any",   "send", "nasty"};

std::string of(const std::string& own, const char* name) {
  return own + "_" + name;
}

void remove_all(engine& from, const std::string& own) {
  for (const char* const each : functions) from.remove(of(own, each));
}

int number(const hotplate::outcome<hotplate::payload>& answer) {
  return std::stoi(std::string(answer.value().text()));
}

/// Everything that a plugin's functions do, by name.
void invoke_all_of(engine& on, const std::string& own) {
  EXPECT_GE(number(on.invoke(of(own, "count"))), 1);
  EXPECT_EQ(number(on.invoke(of(own, "twice"), "4")), 8);
  EXPECT_EQ(number(on.invoke(of(own, "lock"), "4")), 4);
  EXPECT_EQ(number(on.invoke(of(own, "block"), "4")), 4);
  EXPECT_EQ(number(on.invoke(of(own, "nested"), "5")), 5);
  EXPECT_EQ(number(on.invoke(of(own, "then"), "4")), 9);
  EXPECT_EQ(number(on.invoke(of(own, "coroutine"), "4")), 18);
  EXPECT_EQ(number(on.invoke(of(own, "any"), "4")), 8);
  EXPECT_TRUE(on.invoke(of(own, "send")));
}

void invoke_failing_ones_of(engine& on, const std::string& own) {
  const auto threw = on.invoke(of(own, "throw"), "1");
  EXPECT_EQ(threw.code(), errc::function_threw);
  EXPECT_THAT(threw.error().exception_type, HasSubstr("own_error"));
  EXPECT_THAT(threw.error().message, HasSubstr("own error"));
  EXPECT_EQ(on.invoke(of(own, "throw"), "2").code(), errc::function_threw);
  EXPECT_THAT(on.invoke(of(own, "pass_on")).error().exception_type,
              HasSubstr("no_exception"));
  auto asleep = on.invoke_async(of(own, "long"));
  while (!asleep.ready() && on.in_flight().empty()) std::this_thread::yield();
  asleep.cancel();
  EXPECT_EQ(asleep.get().code(), errc::cancelled);
}

void check_handles(const plugin_functions& of) {
  const shared::nasty map{{"key", 1UL}};
  EXPECT_EQ(of.twice(21).value(), 42);
  EXPECT_EQ(of.nasty(map, "four", 1, L'x').value(), 6U);
}

class modules_test : public testing::Test {
 protected:
  modules_test() { static_cast<void>(engine_.dead_letters()); }

  engine engine_{{.workers = 2}};
};

TEST_F(modules_test, two_compilers_mean_the_same_type_by_its_name) {
  const loaded a(PLUGIN_A), b(PLUGIN_B);

  // The host calls what a plugin has deployed, and one plugin deploys anew
  // what the other one has.
  check_handles(a.deploy(engine_, "a", "b"));
  check_handles(b.deploy(engine_, "b", "a"));
  const plugin_functions again = b.deploy(engine_, "a", "b");

  EXPECT_EQ(again.twice(1).usage().version, 2U);
  check_handles(again);
  EXPECT_THROW(engine_.deploy("a_twice", [](long n) { return n; }),
               hotplate::signature_changed);
  remove_all(engine_, "a");
  remove_all(engine_, "b");
  EXPECT_THAT(engine_.drain(a.module(), seconds(20)), ElementsAre());
  EXPECT_THAT(engine_.drain(b.module(), seconds(20)), ElementsAre());
}

TEST_F(modules_test, what_is_still_deployed_is_in_use) {
  const loaded a(PLUGIN_A);
  const auto twice = a.deploy(engine_, "a", "b").twice;
  remove_all(engine_, "a");
  engine_.deploy("a_twice", [](int n) { return 3 * n; });

  EXPECT_EQ(twice(1).value(), 3);
  EXPECT_THAT(engine_.drain(hotplate::this_module(), seconds(20)),
              ElementsAre("function a_twice, version 2: it is not removed",
                          HasSubstr("was the first to send")));
  EXPECT_THAT(engine_.drain(a.module(), seconds(20)), ElementsAre());
}

TEST_F(modules_test, a_plugin_that_calls_the_hosts_copies_is_told_apart) {
  const loaded visible(PLUGIN_VISIBLE);
  std::atomic<bool> may_end = false;
  engine_.deploy("long", [&](context& ctx) {
    while (!may_end) ctx.sleep_for(std::chrono::microseconds(100));
  });
  visible.find<use_visible_plugin>("plugin_use_visible")(&engine_);

  EXPECT_THAT(
      engine_.drain(visible.module(), seconds(20)),
      ElementsAre("function visible_callable, version 1: it is not removed",
                  "function visible_class, version 1: it is not removed",
                  "4 of its continuations have not ended"));
  engine_.remove("visible_callable");
  engine_.remove("visible_class");
  may_end = true;
  EXPECT_THAT(engine_.drain(visible.module(), seconds(20)), ElementsAre());
}

TEST_F(modules_test, a_policy_goes_with_the_functions_that_have_it) {
  const loaded a(PLUGIN_A);
  a.deploy(engine_, "a", "b");
  remove_all(engine_, "a");
  const int policies = 1;
  hotplate::engine_info seen = engine_.describe();
  const auto policy = seen.functions.at(0).versions.at(0).config.keep_alive_by;
  ASSERT_NE(policy, nullptr);

  EXPECT_THAT(engine_.drain(a.module(), seconds(20)), ElementsAre());

  EXPECT_EQ(a.counts().captures, policies) << "the copy of describe() lives";
  seen = engine_.describe();
  EXPECT_EQ(seen.functions.at(0).versions.at(0).config.keep_alive_by, nullptr);
  EXPECT_EQ(policy.use_count(), 1);
}

TEST_F(modules_test, a_version_that_was_replaced_has_to_be_removed_too) {
  const loaded a(PLUGIN_A), b(PLUGIN_B);
  a.deploy(engine_, "a", "b");
  b.deploy(engine_, "a", "b");

  EXPECT_EQ(engine_.drain(a.module(), seconds(20)).size(),
            std::size(functions));
  for (const char* const each : functions) {
    engine_.remove(of("a", each) + ":1");
  }

  EXPECT_THAT(engine_.drain(a.module(), seconds(20)), ElementsAre());
  EXPECT_EQ(a.counts().captures, 0);
  EXPECT_EQ(number(engine_.invoke("a_twice", "4")), 8);
  remove_all(engine_, "a");
  EXPECT_THAT(engine_.drain(b.module(), seconds(20)), ElementsAre());
}

TEST_F(modules_test, an_invocation_that_has_not_ended_is_waited_for) {
  const loaded a(PLUGIN_A);
  a.deploy(engine_, "a", "b");
  auto asleep = engine_.invoke_async("a_long");
  remove_all(engine_, "a");

  EXPECT_THAT(engine_.drain(a.module(), seconds(0)),
              testing::Contains(HasSubstr("a_long, version 1: 1 invocations")));
  asleep.cancel();
  // What it yields belongs to its code until somebody has taken it.
  while (!testing::Value(
      engine_.drain(a.module(), std::chrono::milliseconds(1)),
      ElementsAre(HasSubstr(": 0 invocations have not ended, 1 outcomes")))) {
  }
  EXPECT_EQ(asleep.get().code(), errc::cancelled);
  EXPECT_THAT(engine_.drain(a.module(), seconds(20)), ElementsAre());
}

TEST_F(modules_test, a_handler_of_another_build_is_refused_by_name) {
  auto how = hotplate::detail::erase_callable(hotplate::this_module(), [] {});
  how.build = {.bytes = 7, .version = 30'201, .abi = "v3_2_other"};

  try {
    hotplate::detail::access::core_of(engine_).deploy("other", std::move(how),
                                                      {});
    FAIL() << "it was accepted";
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(),
                ElementsAre(AllOf(
                    HasSubstr("hotplate 3.2.1 (v3_2_other, handlers of 7 "),
                    HasSubstr(HOTPLATE_ABI_TEXT))));
  }
  EXPECT_TRUE(engine_.functions().empty());
}

// Compilers differ in what a source_location is; none reads another's wrongly.
TEST_F(modules_test, one_sees_where_the_others_handlers_wait) {
  const loaded a(PLUGIN_A), b(PLUGIN_B);
  a.deploy(engine_, "a", "b");
  b.deploy(engine_, "b", "a");
  for (const char* const own : {"a", "b"}) {
    auto asleep = engine_.invoke_async(of(own, "long"));
    std::vector<hotplate::invocation_info> seen;
    do {
      seen = engine_.in_flight();
    } while (seen.size() != 1 ||
             seen[0].state != hotplate::invocation_state::suspended);

    const std::string file = seen[0].where.file_name();
    asleep.cancel();
    static_cast<void>(asleep.get());
    while (!engine_.in_flight().empty()) std::this_thread::yield();

    const bool may_be_unknown = std::string_view(own) == "b";
    EXPECT_TRUE(file.ends_with("plugin.cpp") ||
                (may_be_unknown && file.empty()))
        << file;
  }
  remove_all(engine_, "a");
  remove_all(engine_, "b");
  EXPECT_THAT(engine_.drain(a.module(), seconds(20)), ElementsAre());
  EXPECT_THAT(engine_.drain(b.module(), seconds(20)), ElementsAre());
}

class unloading_test : public testing::Test {
 protected:
  /// One plugin comes, works and goes, while others go on; where it was.
  static mapping use_and_unload(engine& on) {
    mapping was;
    {
      const loaded a(PLUGIN_A);
      was = mapping(PLUGIN_A);
      check_handles(a.deploy(on, "a", "b"));
      invoke_all_of(on, "a");
      invoke_failing_ones_of(on, "a");
      remove_all(on, "a");
      EXPECT_THAT(on.drain(a.module(), seconds(20)), ElementsAre());
      EXPECT_EQ(a.counts().instances, 0);
      EXPECT_EQ(a.counts().captures, 0);
      EXPECT_EQ(a.counts().retired, a.counts().made);
    }
    EXPECT_EQ(mapping(PLUGIN_A).size, 0U) << "something keeps it loaded";
    return was;
  }
};

TEST_F(unloading_test, a_hundred_times_while_others_invoke) {
  const loaded b(PLUGIN_B);
  int closed = 0;  // Unless another thread's memory is there by then.
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE(round);
    auto on = std::make_unique<engine>(hotplate::engine_config{.workers = 2});
    static_cast<void>(on->dead_letters());
    b.deploy(*on, "b", "b");
    on->deploy("host", [](int n) { return n; });
    std::optional<grave> where_it_was;
    {
      // Of what is being removed, too.
      const traffic calls(
          *on, {"a_twice", "a_count", "a_lock", "b_nested", "host", "b_then"});
      where_it_was.emplace(use_and_unload(*on));
      closed += where_it_was->closed() ? 1 : 0;
      invoke_all_of(*on, "b");
      const int so_far = calls.done();
      while (calls.done() < so_far + 10) std::this_thread::yield();
      EXPECT_EQ(calls.failed(), 0);
    }
    const loaded anew(PLUGIN_A);
    anew.deploy(*on, "a", "b");
    invoke_all_of(*on, "a");
    on.reset();
    EXPECT_EQ(anew.counts().instances, 0);
  }
  EXPECT_GE(closed, 10);
}

}  // namespace
