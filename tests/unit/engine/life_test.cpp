#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::function_config;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class life_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(life_test, bad_configuration_is_refused_field_by_field) {
  try {
    engine_.deploy("no spaces", [](context&) {},
                   {.memory = {1},
                    .timeout = milliseconds(0),
                    .max_concurrency = 0,
                    .keep_alive = milliseconds(-1),
                    .stack_bytes = 1});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(),
                ElementsAre(HasSubstr("name"), HasSubstr("memory = 1 MiB"),
                            HasSubstr("timeout"), HasSubstr("max_concurrency"),
                            HasSubstr("keep_alive"), HasSubstr("stack_bytes")));
  }
  EXPECT_TRUE(engine_.functions().empty());
}

TEST_P(life_test, deploying_again_publishes_a_version) {
  const auto answer = engine_.deploy("answer", [](context&) { return 1; });
  EXPECT_EQ(answer().value(), 1);

  engine_.deploy("answer", [](context&) { return 2; });

  EXPECT_EQ(answer().value(), 2) << "the handle follows the name";
  EXPECT_EQ(answer().usage().version, 2U);
  EXPECT_EQ(engine_.invoke("answer:1").value().text(), "1");
  EXPECT_EQ(engine_.invoke("answer:3").code(), errc::not_found);
}

TEST_P(life_test, another_signature_is_refused) {
  const auto answer = engine_.deploy("answer", [](context&) { return 1; });

  EXPECT_THROW(engine_.deploy("answer", [](context&, int) { return 1; }),
               hotplate::signature_changed);

  EXPECT_EQ(answer().value(), 1);
}

TEST_P(life_test, a_removed_function_is_not_found_until_deployed_again) {
  const auto answer = engine_.deploy("answer", [](context&) { return 1; });
  answer().value();

  EXPECT_TRUE(engine_.remove("answer"));
  EXPECT_FALSE(engine_.remove("answer"));
  EXPECT_EQ(answer().code(), errc::not_found);
  EXPECT_EQ(engine_.functions()[0].instances, 0U);

  engine_.deploy("answer", [](context&, int) { return 2; });
  EXPECT_EQ(answer().code(), errc::not_found) << "it means something else now";
  EXPECT_EQ(engine_.invoke("answer", "5").value().text(), "2");
}

TEST_P(life_test, an_outcome_outlives_the_engine) {
  std::optional<hotplate::outcome<hotplate::payload>> kept;
  {
    hotplate::engine brief({.workers = GetParam()});
    brief.deploy("fill", [](context&, int n) {
      return std::string(static_cast<std::size_t>(n), 'x');
    });
    kept = brief.invoke("fill", "100000");
  }

  EXPECT_EQ(kept->value().size(), 100'000U);
}

TEST_P(life_test, a_drained_engine_refuses_work) {
  const auto call = engine_.deploy("call", [](context&) {});
  EXPECT_TRUE(call());

  const auto report = engine_.drain(seconds(1));

  EXPECT_EQ(report.dropped, 0U);
  EXPECT_EQ(call().code(), errc::draining);
}

TEST_P(life_test, drain_answers_every_waiter_by_its_deadline) {
  const auto sleep =
      engine_.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(2)); });
  auto first = sleep.async();
  auto second = sleep.async();

  const auto report = engine_.drain(milliseconds(20));

  EXPECT_EQ(report.dropped, 2U);
  EXPECT_TRUE(report.running.empty()) << "sleepers are thrown out";
  EXPECT_EQ(first.get().code(), errc::draining);
  EXPECT_EQ(second.get().code(), errc::draining);
}

struct noticing {
  std::atomic<int>* alive;
  explicit noticing(std::atomic<int>* count) : alive(count) { ++*alive; }
  noticing(const noticing& other) : alive(other.alive) { ++*alive; }
  ~noticing() { --*alive; }
  void operator()(context&) {}
};

TEST_P(life_test, every_instance_is_destroyed_with_its_engine) {
  std::atomic<int> alive = 0;
  {
    hotplate::engine brief({.workers = GetParam()});
    const auto call = brief.deploy("call", noticing(&alive));
    call().value();
    EXPECT_GT(alive, 0);
  }
  EXPECT_EQ(alive, 0);
}

class counting_meter final : public hotplate::meter {
 public:
  std::atomic<int> seen = 0;
  std::atomic<int> failed = 0;
  void on_invocation(
      const hotplate::metered_invocation& call) noexcept override {
    ++seen;
    if (call.failure != nullptr) ++failed;
    if (call.tenant == "acme") ++tenants;
  }
  std::atomic<int> tenants = 0;
};

TEST_P(life_test, a_meter_sees_every_invocation_before_its_caller) {
  counting_meter meter;
  hotplate::engine metered({.workers = GetParam(), .meters = {&meter}});
  const auto call = metered.deploy("call", [](context&, bool fail) {
    if (fail) throw 1;
  });

  EXPECT_TRUE(call.with({.tenant = "acme"})(false));
  EXPECT_EQ(meter.seen, 1);
  EXPECT_FALSE(call(true));
  EXPECT_EQ(metered.invoke("nobody").code(), errc::not_found);

  EXPECT_EQ(meter.seen, 3);
  EXPECT_EQ(meter.failed, 2);
  EXPECT_EQ(meter.tenants, 1);
}

INSTANTIATE_TEST_SUITE_P(workers, life_test, testing::Values(0, 1, 2));

TEST(drain, lists_the_handlers_that_do_not_end) {
  std::atomic<bool> running = false;
  std::atomic<bool> stop = false;
  hotplate::engine engine({.workers = 2});
  const auto spin = engine.deploy("spin", [&](context&) {
    running = true;
    while (!stop) std::this_thread::yield();
  });
  auto hog = spin.async();
  while (!running) std::this_thread::yield();

  const auto report = engine.drain(milliseconds(10));

  ASSERT_EQ(report.running.size(), 1U);
  EXPECT_EQ(report.running[0].function, "spin");
  EXPECT_EQ(hog.get().code(), errc::draining);
  stop = true;
}

TEST(two_engines, do_not_know_of_each_other) {
  hotplate::engine one({.workers = 1});
  hotplate::engine other({.workers = 1});
  const auto add = other.deploy("add", [](context&, int a) { return a + 1; });
  const auto through =
      one.deploy("through", [&](context&, int a) { return add(a).value(); });

  EXPECT_EQ(through(1).value(), 2);
  EXPECT_EQ(one.invoke("add").code(), errc::not_found);
}

}  // namespace
