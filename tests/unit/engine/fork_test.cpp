#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/batched_meter.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/send.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::seconds;

/// Runs `body` in a forked child, which it must leave; its exit status, or
/// nothing if it did not end within 20 s.
template <typename Body>
std::optional<int> in_a_child(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    _exit(body() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return std::nullopt;
  return WEXITSTATUS(status);
}

TEST(fork_test, the_engine_says_that_it_is_unusable_in_the_child) {
  hotplate::engine engine({.workers = 2});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  const auto nap = engine.deploy("nap", [](context& ctx) {
    ctx.sleep_for(std::chrono::milliseconds(50));
  });
  auto before = nap.async();

  EXPECT_EQ(in_a_child([&] {
              return one().code() == errc::engine_unusable &&
                     one.async().get().code() == errc::engine_unusable &&
                     engine.invoke("one").code() == errc::engine_unusable &&
                     engine.invoke_here(one).code() == errc::engine_unusable &&
                     before.get().code() == errc::engine_unusable;
            }),
            0);
  EXPECT_TRUE(before.get()) << "the parent goes on";
  EXPECT_EQ(one().value(), 1);
}

/// Whether `call()` throws an Error.
template <typename Error, typename Call>
bool throws(const Call& call) {
  try {
    call();
    return false;
  } catch (const Error&) {
    return true;
  }
}

/// Keeps two workers, and the locks of all that is here, busy.
struct busy_host {
  hotplate::engine engine{{.workers = 2}};
  hotplate::semaphore permits{engine, 1};
  hotplate::channel<int> numbers{engine, 1};
  hotplate::function<int()> one = engine.deploy("one", [] { return 1; });
  hotplate::function<void()> nap = engine.deploy(
      "nap", [](context& ctx) { ctx.sleep_for(std::chrono::microseconds(9)); });
  std::jthread caller{[this](const std::stop_token& stop) {
    int item = 1;
    while (!stop.stop_requested()) {
      nap.async().then([](hotplate::outcome<void>) {}).detach();
      engine.invoke("one").value();
      static_cast<void>(engine.send("one"));
      if (permits.try_acquire()) permits.release();
      if (numbers.try_send(item)) numbers.try_receive();
      engine.deploy("two", [] { return 2; });
      engine.remove("two");
      static_cast<void>(engine.functions());
    }
  }};

  /// Of the calls that a child may make, how many answered as they should.
  bool is_unusable(hotplate::pending<void>& before) {
    return engine.send("one").code() == errc::engine_unusable &&
           engine.replay(1).code() == errc::engine_unusable &&
           engine.dead_letters().empty() && !engine.drop(1) &&
           engine.invoke_all("one", std::vector<std::string>(2))[1].code() ==
               errc::engine_unusable &&
           engine.invoke_async("one").get().code() == errc::engine_unusable &&
           before.then([](hotplate::outcome<void>) {}).get().code() ==
               errc::engine_unusable;
  }
  bool refuses_set_up() {
    using hotplate::bad_config;
    return throws<bad_config>([&] { engine.deploy("three", [] {}); }) &&
           throws<bad_config>([&] { engine.roll_back("one"); }) &&
           throws<bad_config>([&] { engine.alias("one", "prod", {{1}}); }) &&
           throws<bad_config>([&] { engine.limit_tenant("acme", 1); }) &&
           !engine.remove("one") && engine.functions().empty() &&
           engine.in_flight().empty() && engine.tenants().empty() &&
           engine.describe().functions.empty() &&
           engine.stats().invocations == 0 && engine.poll() == 0 &&
           engine.drain(hotplate::this_module(), seconds(9)).size() == 1;
  }
  bool does_not_wait(hotplate::pending<void>& before) {
    using hotplate::bad_outcome;
    int item = 1;
    return throws<bad_outcome>([&] { permits.acquire(); }) &&
           throws<bad_outcome>([&] { numbers.send(1); }) &&
           throws<bad_outcome>([&] { numbers.receive(); }) &&
           throws<bad_outcome>([&] { hotplate::wait_any(before); }) &&
           !before.wait_until(engine.now() + seconds(9)) &&
           !permits.try_acquire() && !numbers.try_send(item) &&
           !numbers.try_receive() && numbers.closed();
  }
};

TEST(fork_test, no_call_hangs_in_the_child_whatever_others_did) {
#if defined(HOTPLATE_ASAN)
  GTEST_SKIP() << "its runtime forks with the locks of its heap held";
#endif
  busy_host host;
  const auto sleep = host.engine.deploy(
      "sleep", [](context& ctx) { ctx.sleep_for(seconds(100)); },
      {.timeout = seconds(200)});

  for (int i = 0; i < 30; ++i) {
    auto before = sleep.async();
    EXPECT_EQ(in_a_child([&] {
                const bool right = host.does_not_wait(before) &&
                                   host.refuses_set_up() &&
                                   host.is_unusable(before);
                before.cancel();
                host.permits.release();
                host.numbers.close();
                const auto dropped = std::move(before);
                return right;
              }),
              0);
    before.cancel();
  }
}

TEST(fork_test, it_can_be_destroyed_in_the_child) {
  auto engine =
      std::make_unique<hotplate::engine>(hotplate::engine_config{.workers = 2});
  const auto nap =
      engine->deploy("nap", [](context& ctx) { ctx.sleep_for(seconds(1)); });
  nap.async().detach();

  EXPECT_EQ(in_a_child([&] {
              engine->drain(seconds(5));
              engine.reset();
              return true;
            }),
            0);
}

TEST(fork_test, a_batched_meter_delivers_nothing_in_the_child) {
  std::atomic<bool> delivering = false, may_go_on = false;
  const auto deliver = [&](std::span<const hotplate::metered_record>) {
    delivering = true;
    while (!may_go_on) std::this_thread::yield();
  };
  auto meter = std::make_unique<hotplate::batched_meter>(
      deliver,
      hotplate::batch_config{.interval = std::chrono::milliseconds(1)});
  meter->on_invocation({"f", "", hotplate::usage{}, nullptr});
  while (!delivering) std::this_thread::yield();  // Its lock is held now.

  EXPECT_EQ(in_a_child([&] {
              meter->on_invocation({"f", "", hotplate::usage{}, nullptr});
              const bool right = meter->flush() == 0 && meter->dropped() == 1;
              meter.reset();
              return right;
            }),
            0);

  may_go_on = true;
  meter->on_invocation({"f", "", hotplate::usage{}, nullptr});
  meter->flush();
  EXPECT_EQ(meter->dropped(), 0U);
}

#if !defined(HOTPLATE_TSAN)  // It allows no thread after such a fork.
TEST(fork_test, the_child_may_have_an_engine_of_its_own) {
  hotplate::engine engine({.workers = 2});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  ASSERT_EQ(one().value(), 1);

  EXPECT_EQ(in_a_child([] {
              hotplate::engine own({.workers = 2});
              const auto two = own.deploy("two", [](context&) { return 2; });
              return two().value() == 2;
            }),
            0);
}
#endif

TEST(fork_test, a_host_pumped_engine_goes_on_in_the_child) {
  hotplate::engine engine({.workers = 0});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  EXPECT_EQ(in_a_child([&] { return one().value() == 1; }), 0);
}

}  // namespace
