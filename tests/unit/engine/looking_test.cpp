#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "eventually.hpp"
#include "hotplate/describe.hpp"
#include "hotplate/engine.hpp"

// An operator may look from wherever the engine runs the host's code: no lock
// that looking takes is held there. Held, it would hang these tests.

namespace {

using hotplate::context;
using std::chrono::milliseconds;

/// Looks at everything, and counts where.
struct looker {
  enum place { init, copy, call, retire, end, metered, then, executor, count };

  static void look(place from) {
    if (engine == nullptr) return;
    (void)engine->in_flight();
    (void)engine->describe();
    (void)engine->functions();
    (void)engine->stats();
    (void)engine->tenants();
    ++looks[from];
  }

  static inline hotplate::engine* engine = nullptr;
  static inline std::atomic<int> looks[count];
};

struct curious {
  curious() {
    ++alive;
    looker::look(looker::init);
  }
  curious(const curious&) {
    ++alive;
    looker::look(looker::copy);
  }
  curious& operator=(const curious&) = delete;
  ~curious() {
    looker::look(looker::end);
    --alive;
  }
  void on_retire(hotplate::retire_reason) noexcept {
    looker::look(looker::retire);
  }
  void operator()(context&) { looker::look(looker::call); }

  static inline std::atomic<int> alive = 0;
};

struct looking_meter final : hotplate::meter {
  void on_invocation(const hotplate::metered_invocation&) noexcept override {
    looker::look(looker::metered);
  }
};

class looking_test : public testing::TestWithParam<int> {
 protected:
  ~looking_test() override { looker::engine = nullptr; }

  template <typename Done>
  bool comes_true(const Done& done) {
    return becomes_true([&] {
      engine_.poll();
      return done();
    });
  }

  looking_meter meter_;
  hotplate::engine engine_{{.workers = GetParam(), .meters = {&meter_}}};
};

TEST_P(looking_test, is_possible_from_every_callback) {
  for (auto& each : looker::looks) each = 0;
  looker::engine = &engine_;
  engine_.limit_tenant("acme", 3);
  const auto call = engine_.deploy<curious>("curious", {.max_concurrency = 1,
                                                        .max_waiting = 2,
                                                        .max_uses = 1,
                                                        .snapshot = true});
  ASSERT_TRUE(call.with({.tenant = "acme"})().has_value());
  auto waits = call.async(), last = call.async();
  auto next = waits.then([](auto) { looker::look(looker::then); });
  auto elsewhere = last.then(
      [](auto continuation) {
        looker::look(looker::executor);
        continuation();
      },
      [](auto) {});
  (void)next.get();
  (void)elsewhere.get();
  engine_.remove("curious");

  for (const auto& each : looker::looks) {
    EXPECT_TRUE(comes_true([&] { return each > 0; })) << &each - looker::looks;
  }
  // Nobody may look at an engine that is being destroyed.
  ASSERT_TRUE(comes_true([] { return curious::alive == 0; }));
}
INSTANTIATE_TEST_SUITE_P(workers, looking_test, testing::Values(0, 2));

}  // namespace
