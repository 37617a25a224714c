#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <string_view>
#include <thread>

#include "hotplate/engine.hpp"
#include "together.hpp"

// P1 to P3: while several threads invoke what suspends, fails, overruns and is
// cancelled, no limit is exceeded, and all that was accepted is accounted for.

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Handlers inside, overruns included, counted beside the engine.
class census {
 public:
  class visit {
   public:
    explicit visit(census& of) : of_(of) {
      const int now = ++of_.inside_;
      int most = of_.most_;
      while (most < now && !of_.most_.compare_exchange_weak(most, now)) {
      }
    }
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;
    ~visit() { --of_.inside_; }

   private:
    census& of_;
  };
  int most() const { return most_; }
  int inside() const { return inside_; }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<int> most_ = 0;
};

constexpr int places = 6, reserved_places = 2, function_places = 2;
constexpr int tenant_places = 2;
constexpr std::array<std::string_view, 2> tenants = {"acme", "other"};

class limits_stress_test : public testing::TestWithParam<int> {
 protected:
  void work(context& ctx, census& function, int how) {
    const census::visit in_engine(all_), in_function(function);
    const census::visit in_tenant(tenants_[ctx.tenant() == tenants[0] ? 0 : 1]);
    switch (how % 8) {
      case 0:
        throw how;
      case 1:
        return ctx.sleep_for(std::chrono::microseconds(how));
      case 2:
        return overrun(ctx);
      case 3:
        return static_cast<void>(ctx.invoke("leaf"));
      default:
        return ctx.yield();
    }
  }
  static void overrun(context& ctx) {
    while (!ctx.cancelled()) {
    }
    const auto until = ctx.now() + milliseconds(1);
    while (ctx.now() < until) {
    }
  }
  hotplate::function<void(int)> deploy(std::string name, census& count,
                                       hotplate::function_config config) {
    config.timeout = milliseconds(2);
    return engine_.deploy(
        std::move(name),
        [this, &count](context& ctx, int how) { work(ctx, count, how); },
        config);
  }
  std::uint64_t settled() {
    std::uint64_t sum = 0;
    for (const auto& each : engine_.functions()) {
      if (each.name != "leaf") sum += each.invocations();
    }
    return sum;
  }

  census all_, bounded_, reserved_, waited_for_;
  std::array<census, 2> tenants_;
  std::atomic<int> cancelled_ = 0;
  hotplate::engine engine_{{.workers = GetParam(),
                            .max_concurrency = places,
                            .max_concurrency_per_tenant = tenant_places}};
};

TEST_P(limits_stress_test, none_is_exceeded_and_every_invocation_settles_once) {
  constexpr int turns = 400;
  constexpr std::size_t threads = 4;
  engine_.deploy("leaf", [](context& ctx) { ctx.yield(); });
  const std::array<hotplate::function<void(int)>, 3> functions = {
      deploy("bounded", bounded_, {.max_concurrency = function_places}),
      deploy("reserved", reserved_, {.reserved_concurrency = reserved_places}),
      deploy("waiting", waited_for_,
             {.max_concurrency = function_places, .max_waiting = 3})};
  std::array<std::atomic<std::uint64_t>, hotplate::errc_count> answers{};

  together(threads, [&](std::size_t thread) {
    std::minstd_rand random(static_cast<unsigned>(thread) + 1);
    for (int i = 0; i < turns; ++i) {
      const auto with =
          functions[random() % 3].with({.tenant = tenants[random() % 2]});
      auto first = with.async(static_cast<int>(random() % 256));
      auto second = with.async(static_cast<int>(random() % 256));
      if (random() % 4 == 0) first.cancel();
      ++answers[static_cast<std::size_t>(first.get().code())];
      ++answers[static_cast<std::size_t>(second.get().code())];
    }
  });
  EXPECT_TRUE(engine_.drain(seconds(60)).running.empty());

  EXPECT_LE(all_.most(), places);
  EXPECT_LE(bounded_.most(), function_places);
  EXPECT_LE(waited_for_.most(), function_places);
  EXPECT_LE(reserved_.most(), reserved_places);
  for (const census& each : tenants_) EXPECT_LE(each.most(), tenant_places);
  EXPECT_EQ(all_.inside(), 0);
  EXPECT_EQ(engine_.stats().in_flight, 0);
  std::uint64_t sum = 0;
  for (const auto& each : answers) sum += each;
  EXPECT_EQ(sum, 2 * turns * threads);
  EXPECT_EQ(settled(), sum) << "each metered once";
  EXPECT_GT(answers[static_cast<std::size_t>(errc::throttled)], 0U);
  EXPECT_GT(answers[static_cast<std::size_t>(errc::timed_out)], 0U);
  for (const auto& each : engine_.functions()) EXPECT_EQ(each.in_flight, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, limits_stress_test,
                         testing::Values(1, 2, 4, 8));

// Who cancels need not be who waits, and may come when the record of what was
// got serves another invocation already.
TEST_P(limits_stress_test, cancelling_meets_getting_and_hits_no_other) {
  const auto quick = engine_.deploy("quick", [](context& ctx) { ctx.yield(); },
                                    {.max_waiting = 1'000});
  std::atomic<hotplate::pending<void>*> shared = nullptr;
  std::atomic<bool> stop = false;
  std::thread canceller([&] {
    while (!stop) {
      if (auto* const started = shared.exchange(nullptr)) {
        started->cancel();
        ++cancelled_;
      }
    }
  });
  int hit = 0;
  for (int i = 0; i < 2'000; ++i) {
    auto started = quick.async();
    const int before = cancelled_;
    shared = &started;
    (void)started.get();
    // The next one may have its record.
    if (!quick()) ++hit;
    // It stays until nobody cancels it any more.
    if (shared.exchange(nullptr) == nullptr) {
      while (cancelled_ == before) std::this_thread::yield();
    }
  }
  stop = true;
  canceller.join();

  EXPECT_EQ(hit, 0);
}

}  // namespace
