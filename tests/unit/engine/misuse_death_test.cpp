#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "hotplate/channel.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/suspend.hpp"

// What no errc stands for: builds with assertions tell of it.

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::fiber_mutex;
using hotplate::outcome;
using hotplate::semaphore;
using numbers = hotplate::channel<int>;
using started = hotplate::pending<int>;

class misuse_death_test : public testing::Test {
 protected:
  void SetUp() override {
#if !defined(HOTPLATE_CHECKED)
    GTEST_SKIP() << "only builds with assertions check";
#endif
    testing::FLAGS_gtest_death_test_style = "threadsafe";
  }

  /// Has one made by `make`, destroys it, or its engine first, and uses it.
  template <typename T, typename... First, typename Use>
  static void use_late(bool after_engine, const Use& use, First... first) {
    std::optional<engine> brief;
    brief.emplace(hotplate::engine_config{.workers = 1});
    std::optional<T> made;
    made.emplace(*brief, first...);
    T* const left = &*made;
    if (after_engine) {
      brief.reset();
    } else {
      made.reset();
    }
    use(*left);
    std::_Exit(0);
  }

  /// Destroys one for which a handler waits.
  template <typename T, typename... First, typename Wait>
  static void destroy_awaited(const Wait& wait, First... first) {
    engine of({.workers = 1});
    std::optional<T> awaited;
    awaited.emplace(of, first...);
    const auto waits = of.deploy("waits", [&] { wait(*awaited); });
    const auto waiting = waits.async();
    const auto suspended = hotplate::invocation_state::suspended;
    for (;;) {
      const auto all = of.in_flight();
      if (!all.empty() && all[0].state == suspended) break;
      std::this_thread::yield();
    }
    awaited.reset();
    std::_Exit(0);
  }

  /// Calls `misuse` with a started invocation.
  template <typename Misuse>
  static void with_a_pending(const Misuse& misuse) {
    engine of({.workers = 1});
    started one = of.deploy("one", [](int n) { return n; }).async(1);
    misuse(one);
    std::_Exit(0);
  }
};

const auto receive = [](auto& from) { (void)from.receive(); };
const auto send = [](auto& to) { to.send(1); };
const auto acquire = [](auto& from) { from.acquire(); };
const auto release = [](auto& to) { to.release(); };
const auto lock = [](auto& it) { it.lock(); };
const auto lock_twice = [](auto& it) {
  it.lock();
  it.lock();
};

TEST_F(misuse_death_test, what_is_waited_for_is_not_used_after_its_engine) {
  EXPECT_DEATH(
      use_late<fiber_mutex>(true, lock),
      "^hotplate: a fiber_mutex was used after its engine had ended\n$");
  EXPECT_DEATH(use_late<semaphore>(true, release, 1),
               "^hotplate: a semaphore was used after its engine had ended\n$");
  EXPECT_DEATH(use_late<numbers>(true, receive, 1),
               "^hotplate: a channel was used after its engine had ended\n$");
}

TEST_F(misuse_death_test, nor_after_its_own_end) {
  EXPECT_DEATH(use_late<fiber_mutex>(false, lock),
               "^hotplate: a fiber_mutex was used after it had ended\n$");
  EXPECT_DEATH(use_late<semaphore>(false, acquire, 1),
               "^hotplate: a semaphore was used after it had ended\n$");
  EXPECT_DEATH(use_late<numbers>(false, send, 1),
               "^hotplate: a channel was used after it had ended\n$");
}

TEST_F(misuse_death_test, nor_destroyed_while_somebody_waits) {
  EXPECT_DEATH(
      destroy_awaited<fiber_mutex>(lock_twice),
      "^hotplate: a fiber_mutex was destroyed while somebody waited\n$");
  EXPECT_DEATH(destroy_awaited<semaphore>(acquire, 0),
               "^hotplate: a semaphore was destroyed while somebody waited\n$");
  EXPECT_DEATH(destroy_awaited<numbers>(receive, 1),
               "^hotplate: a channel was destroyed while somebody waited\n$");
  EXPECT_DEATH(destroy_awaited<numbers>(send, 0),
               "^hotplate: a channel was destroyed while somebody waited\n$");
}

TEST_F(misuse_death_test, it_may_be_destroyed_after_its_engine) {
  std::optional<engine> brief;
  brief.emplace(hotplate::engine_config{.workers = 1});
  const fiber_mutex mutex(*brief);
  const numbers channel(*brief, 1);

  brief.reset();
}

const char* const asked_in_vain =
    "^hotplate: a pending was asked for an outcome that had been taken, moved "
    "to another, or let go\n$";

TEST_F(misuse_death_test, a_pending_gives_its_outcome_once) {
  EXPECT_DEATH(with_a_pending([](started& one) {
                 (void)one.get();
                 (void)one.get();
               }),
               asked_in_vain);
  EXPECT_DEATH(with_a_pending([](started& one) {
                 const started other = std::move(one);
                 one.then([](outcome<int>) {}).detach();
               }),
               asked_in_vain);
  EXPECT_DEATH(with_a_pending([](started& one) {
                 one.detach();
                 (void)one.get();
               }),
               asked_in_vain);
}

TEST_F(misuse_death_test, also_one_that_was_refused) {
  EXPECT_DEATH(with_a_pending([](started&) {
                 started refused(outcome<int>(1, hotplate::usage{}));
                 const started other = std::move(refused);
                 (void)refused.get();
               }),
               asked_in_vain);
}

TEST_F(misuse_death_test, an_outcome_with_a_value_has_no_error) {
  const auto ask = [](started& one) {
    const outcome<int> good = one.get();
    (void)good.error().message.size();
  };

  EXPECT_DEATH(
      with_a_pending(ask),
      "^hotplate: outcome::error\\(\\) was called where there is a value\n$");
}

TEST_F(misuse_death_test, nor_a_value_once_its_error_has_moved) {
  const auto ask = [](started&) {
    engine of({.workers = 1});
    auto bad = of.invoke("nobody");
    const auto other = std::move(bad);
    (void)bad.value();
  };

  EXPECT_DEATH(with_a_pending(ask),
               "^hotplate: outcome::value\\(\\) was called after its error had "
               "moved to another outcome\n$");
}

TEST_F(misuse_death_test, arenas_align_to_powers_of_two) {
  const auto align = [](std::size_t to) {
    engine of({.workers = 1});
    (void)of.deploy("aligns",
                    [&](context& ctx) { ctx.arena().allocate(1, to); })();
    std::_Exit(0);
  };

  const char* const refusal = "^hotplate: an arena aligns to powers of two\n$";
  EXPECT_DEATH(align(0), refusal);
  EXPECT_DEATH(align(24), refusal);
}

}  // namespace
