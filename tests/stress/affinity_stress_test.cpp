#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "hotplate/suspend.hpp"
#include "together.hpp"

namespace {

using hotplate::affinity;
using hotplate::context;
using hotplate::errc;
using std::chrono::microseconds;
using std::chrono::seconds;

struct mode {
  int workers;
  bool restless;
};

class affinity_stress_test : public testing::TestWithParam<mode> {
 protected:
  static constexpr int rounds = 1'000;

  affinity_stress_test() {
    if (GetParam().restless) {
      hotplate::detail::access::core_of(engine_).make_restless();
    }
  }

  hotplate::engine engine_{
      {.workers = GetParam().workers, .max_concurrency = 100'000}};
};

// Every way in which a suspended handler is called, against every way in which
// it is not left yet: by whom it waits for, its timer, its deadline, its
// caller, at the moment when it suspends.
TEST_P(affinity_stress_test, who_is_called_as_he_leaves_goes_on_once) {
  const hotplate::function_config any{.max_concurrency = 100'000,
                                      .affinity = affinity::any};
  hotplate::fiber_mutex mutex(engine_);
  std::atomic<int> inside = 0, wrong = 0;
  const auto leaf = engine_.deploy(
      "leaf",
      [&](context& ctx, int us) {
        ctx.sleep_for(microseconds(us));
        const std::lock_guard hold(mutex);
        wrong += inside++ != 0 ? 1 : 0;
        --inside;
        if (us % 7 == 0) throw std::runtime_error("seven");
        return us;
      },
      any);
  const auto root = engine_.deploy(
      "root",
      [&](context& ctx, int us) {
        auto beside = leaf.async(us);
        const auto direct = leaf(us / 2);
        ctx.yield();
        return direct.code() == errc::ok ? beside.get().code() : direct.code();
      },
      any);

  together(3, [&](std::size_t thread) {
    for (int i = 0; i < rounds; ++i) {
      auto started =
          root.with({.deadline = engine_.now() +
                                 (thread == 0 ? microseconds(i % 90)
                                              : microseconds(seconds(60)))})
              .async(i % 40);
      if (thread == 1) started.cancel();
      if (thread == 2) started.get().value();
    }
  });

  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(mutex.try_lock());
  EXPECT_EQ(engine_.stats().in_flight, 0);
}

INSTANTIATE_TEST_SUITE_P(modes, affinity_stress_test,
                         testing::Values(mode{1, false}, mode{2, false},
                                         mode{2, true}, mode{4, true}));

}  // namespace
