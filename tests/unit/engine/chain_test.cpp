#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <utility>

#include "hotplate/engine.hpp"

// Chains of continuations that are longer than any stack.

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

// However it ends, on a stack that has room for less than a hundredth of it.
class chain_test : public testing::TestWithParam<int> {
 protected:
  static constexpr int links = 100'000;

  struct counted {
    explicit counted(std::atomic<int>* its) : destroyed(its) {}
    counted(counted&& other) noexcept
        : destroyed(std::exchange(other.destroyed, nullptr)) {}
    ~counted() {
      if (destroyed != nullptr) ++*destroyed;
    }
    std::atomic<int>* destroyed;
  };

  auto link_of_chain() {
    return [&, witness = counted(&destroyed_)](outcome<int> before) {
      ++called_;
      return before.value() + 1;
    };
  }
  hotplate::pending<int> chain_after(hotplate::pending<int> last) {
    for (int i = 0; i < links; ++i) last = last.then(link_of_chain());
    return last;
  }
  hotplate::pending<int> chain_elsewhere_after(hotplate::pending<int> last) {
    for (int i = 0; i < links; ++i) {
      last = last.then([](hotplate::continuation next) { next(); },
                       link_of_chain());
    }
    return last;
  }
  // From a handler, on the smallest stack.
  template <typename End>
  void in_handler(const End& end) {
    const auto handler =
        engine_.deploy("handler", [&] { end(); },
                       {.timeout = seconds(200), .stack_bytes = 32 * 1024});
    const auto outcome = handler();
    ASSERT_TRUE(outcome) << outcome.error().message;
  }
  void expect_nobody_was_called() {
    released_ = true;
    EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
    EXPECT_EQ(called_, 0);
    EXPECT_EQ(destroyed_, links);
  }

  hotplate::engine engine_{{.workers = GetParam()}};
  std::atomic<int> called_ = 0, destroyed_ = 0;
  std::atomic<bool> released_ = false;
  // Deployed with a timeout, as others wait for what it does.
  hotplate::function<int(int)> nap_ =
      engine_.deploy("nap",
                     [](context& ctx, int ms) {
                       ctx.sleep_for(milliseconds(ms));
                       return 0;
                     },
                     {.timeout = seconds(200)});
  // However long it takes to make what follows it.
  hotplate::function<int()> held_ =
      engine_.deploy("held",
                     [this](context& ctx) {
                       while (!released_) ctx.sleep_for(milliseconds(1));
                       return 0;
                     },
                     {.timeout = seconds(200)});
};

TEST_P(chain_test, a_long_one_is_completed) {
  auto last = chain_after(nap_.async(0));

  EXPECT_EQ(last.get().value(), links);
  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  EXPECT_EQ(destroyed_, links);
}

TEST_P(chain_test, a_long_one_is_completed_elsewhere) {
  auto last = chain_elsewhere_after(nap_.async(0));

  EXPECT_EQ(last.get().value(), links);
}

TEST_P(chain_test, a_long_one_is_cancelled_by_a_handler) {
  auto last = chain_after(nap_.async(100'000));

  in_handler([&] { last.cancel(); });

  EXPECT_EQ(last.get().code(), errc::cancelled);
  expect_nobody_was_called();
}

TEST_P(chain_test, a_long_one_is_cancelled_elsewhere) {
  auto last = chain_elsewhere_after(nap_.async(100'000));

  in_handler([&] { last.cancel(); });

  EXPECT_EQ(last.get().code(), errc::cancelled);
  expect_nobody_was_called();
}

TEST_P(chain_test, a_long_one_is_dropped_by_a_handler) {
  std::optional last = chain_after(held_.async());

  in_handler([&] { last.reset(); });

  EXPECT_EQ(destroyed_, links) << "at once";
  expect_nobody_was_called();
}

TEST_P(chain_test, a_long_one_is_dropped_elsewhere) {
  std::optional last = chain_elsewhere_after(held_.async());

  in_handler([&] { last.reset(); });

  EXPECT_EQ(destroyed_, links) << "at once";
  expect_nobody_was_called();
}

TEST_P(chain_test, a_long_one_is_told_that_the_engine_ends) {
  auto last = chain_after(nap_.async(100'000));

  engine_.drain(seconds(0));

  const auto end = last.get();
  EXPECT_EQ(end.code(), errc::function_threw);
  EXPECT_LT(end.error().message.size(), 5'000U) << "though each adds to it";
  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  EXPECT_EQ(called_, links);
  EXPECT_EQ(destroyed_, links);
}

INSTANTIATE_TEST_SUITE_P(workers, chain_test, testing::Values(0, 2));

}  // namespace
