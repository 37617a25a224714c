#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

// Handles and pendings that are left when their engine has ended: builds with
// assertions tell.

namespace {

using hotplate::context;
using hotplate::engine;

class outlived_death_test : public testing::Test {
 protected:
  using handle = hotplate::function<int(int)>;
  using started = hotplate::pending<int>;

  void SetUp() override {
#if !defined(HOTPLATE_CHECKED)
    GTEST_SKIP() << "only builds with assertions check";
#endif
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }

  /// Calls `misuse` with a handle whose engine has ended, and leaves the rest.
  template <typename Misuse>
  static void outlive_with_a_handle(const Misuse& misuse) {
    std::optional<engine> brief;
    brief.emplace(hotplate::engine_config{.workers = 1});
    std::optional<handle> left = brief->deploy("one", [](int n) { return n; });
    brief.reset();
    misuse(left);
    std::_Exit(0);
  }
  template <typename Misuse>
  static void outlive_with_a_pending(const Misuse& misuse) {
    std::optional<engine> brief;
    brief.emplace(hotplate::engine_config{.workers = 1});
    std::optional<started> left =
        brief->deploy("one", [](int n) { return n; }).async(1);
    brief.reset();
    misuse(left);
    std::_Exit(0);
  }
};

const char* const used_handle =
    "^hotplate: a function handle was used after its engine had ended\n$";
const char* const used_pending =
    "^hotplate: a pending was used after its engine had ended\n$";

TEST_F(outlived_death_test, using_a_handle_ends_the_process_with_a_message) {
  EXPECT_DEATH(outlive_with_a_handle([](auto& left) { (void)(*left)(1); }),
               used_handle);
  EXPECT_DEATH(outlive_with_a_handle([](auto& left) { (void)left->async(1); }),
               used_handle);
  EXPECT_DEATH(outlive_with_a_handle([](auto& left) { (void)left->name(); }),
               used_handle);
}

TEST_F(outlived_death_test, using_a_pending_ends_the_process_with_a_message) {
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) { (void)left->get(); }),
               used_pending);
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) { left->cancel(); }),
               used_pending);
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) { left->detach(); }),
               used_pending);
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) { (void)left->ready(); }),
               used_pending);
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) {
                 left->then([](hotplate::outcome<int>) {}).detach();
               }),
               used_pending);
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) { wait_any(*left); }),
               used_pending);
}

TEST_F(outlived_death_test, so_does_destroying_one) {
  EXPECT_DEATH(outlive_with_a_pending([](auto& left) { left.reset(); }),
               "^hotplate: a pending was destroyed after its engine had ended");
}

TEST_F(outlived_death_test, what_was_taken_before_may_stay) {
  std::optional<engine> brief;
  brief.emplace(hotplate::engine_config{.workers = 1});
  std::optional<handle> one = brief->deploy("one", [](int n) { return n; });
  started taken = one->async(1);
  started detached = one->async(2);
  started moved = one->async(3);
  started elsewhere = std::move(moved);
  const hotplate::outcome<int> kept = taken.get();
  detached.detach();
  (void)elsewhere.get();

  brief.reset();
  one.reset();  // Does nothing but forget it.

  EXPECT_EQ(kept.value(), 1);
}

}  // namespace
