#include "hotplate/base/thread_state.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace {

using hotplate::detail::thread_state;

template <typename Body>
bool looks_blocked_within(int tries, const Body& body,
                          std::atomic<bool>& stop) {
  thread_state state;
  std::atomic<bool> adopted = false;
  std::thread other([&] {
    state.adopt();
    adopted = true;
    body();
  });
  while (!adopted) std::this_thread::yield();
  bool blocked = false;
  for (int i = 0; i < tries && !blocked; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    blocked = state.is_blocked();
  }
  stop = true;
  stop.notify_all();
  other.join();
  return blocked;
}

TEST(thread_state_test, a_thread_that_waits_is_blocked_one_that_spins_is_not) {
  std::atomic<bool> stop = false;
  EXPECT_TRUE(looks_blocked_within(
      500, [&] { stop.wait(false); }, stop));
  stop = false;
  EXPECT_FALSE(looks_blocked_within(
      1,
      [&] {
        while (!stop) {
        }
      },
      stop));
}

TEST(thread_state_test, a_thread_that_is_not_known_is_not_blocked) {
  EXPECT_FALSE(thread_state().is_blocked());
}

}  // namespace
