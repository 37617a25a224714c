#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>

#include "hotplate/engine.hpp"

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
