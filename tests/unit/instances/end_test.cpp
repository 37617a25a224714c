#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <vector>

#include "counted.hpp"
#include "hotplate/suspend.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::retire_reason;
using hotplate::start_kind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Its end fails, with something that is no std::exception every other time.
struct unruly : counted<unruly> {
  unruly() = default;
  unruly(const unruly&) = default;
  ~unruly() noexcept(false) {
    if (counts->destroyed % 2 == 0) throw 7;
    throw std::runtime_error("not without a fight");
  }
  int operator()(context& ctx, int work) {
    if (work == 1) ctx.sleep_for(seconds(100));
    return work;
  }
};

class end_test : public testing::TestWithParam<int> {
 protected:
  end_test() { unruly::counts = &counts_; }

  std::uint64_t failed_ends() { return engine_.functions()[0].failed_ends; }

  instance_counts counts_;
  std::optional<hotplate::engine> owned_{
      std::in_place, hotplate::engine_config{.workers = GetParam()}};
  hotplate::engine& engine_ = *owned_;
};

TEST_P(end_test, a_destructor_that_throws_costs_its_invocation_nothing) {
  const auto f = engine_.deploy<unruly>("f", {.max_uses = 1});

  for (int i = 2; i < 6; ++i) EXPECT_EQ(f(i).value(), i);

  ASSERT_TRUE(eventually(
      engine_, [&] { return engine_.functions()[0].instances == 0; }));
  EXPECT_EQ(counts_.retired_for(retire_reason::used_up), 4);
  EXPECT_EQ(failed_ends(), 4U);
}

TEST_P(end_test, nor_does_it_end_the_process_wherever_it_is_called) {
  const auto f = engine_.deploy<unruly>(
      "f", {.timeout = milliseconds(100), .keep_alive = milliseconds(1)});
  f(0).value();
  ASSERT_TRUE(eventually(engine_, [&] { return failed_ends() == 1; }))
      << "on a fiber of the pool";
  EXPECT_EQ(f(1).code(), errc::timed_out);
  ASSERT_TRUE(eventually(engine_, [&] { return failed_ends() == 2; }));
  engine_.deploy<unruly>("f", {.snapshot = true});
  f(0).value();

  engine_.remove("f");
  EXPECT_TRUE(eventually(engine_, [&] { return failed_ends() == 4; }))
      << "the instance and the snapshot";
  engine_.deploy<unruly>("g")(0).value();
  owned_.reset();

  EXPECT_EQ(counts_.alive(), 0);
}

TEST_P(end_test, a_callable_s_destructor_may_throw_as_well) {
  struct thrower {
    bool* armed;
    ~thrower() noexcept(false) {
      if (*armed) throw 1;
    }
    int operator()(context&) { return 1; }
  };
  bool armed = false;
  const auto f = engine_.deploy("f", thrower{&armed}, {.max_uses = 1});
  armed = true;

  EXPECT_EQ(f().value(), 1);

  EXPECT_TRUE(eventually(engine_, [&] { return failed_ends() == 1; }));
  owned_.reset();
}

INSTANTIATE_TEST_SUITE_P(workers, end_test, testing::Values(0, 1, 2));

/// Waits, in its init and in its end, for what others have to give.
struct waiting_state : counted<waiting_state> {
  static inline hotplate::semaphore* to_start = nullptr;
  static inline hotplate::semaphore* to_end = nullptr;
  waiting_state() {
    if (to_start != nullptr) to_start->acquire();
  }
  ~waiting_state() {
    if (to_end != nullptr) to_end->acquire();
  }
  void operator()(context& ctx, bool wait) {
    if (wait) ctx.sleep_for(hours(1));
  }
};

class pumped_end_test : public testing::Test {
 protected:
  pumped_end_test() { waiting_state::counts = &counts_; }
  ~pumped_end_test() override {
    waiting_state::to_start = waiting_state::to_end = nullptr;
  }

  instance_counts counts_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
  hotplate::semaphore gate_{engine_, 0};
};

TEST_F(pumped_end_test, an_end_that_waits_is_not_its_invocation_s) {
  waiting_state::to_end = &gate_;
  const auto f = engine_.deploy<waiting_state>("f");
  auto late = f.async(true);
  engine_.run_for(seconds(4));
  EXPECT_EQ(late.get().code(), errc::timed_out);
  EXPECT_EQ(counts_.retired_for(retire_reason::failed), 1);
  EXPECT_EQ(counts_.alive(), 1) << "it waits, and nothing is thrown there";

  gate_.release();
  engine_.poll();

  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(engine_.stats().in_flight, 0);
}

TEST_F(pumped_end_test, one_that_expires_may_wait_beside_a_suspended_handler) {
  waiting_state::to_end = &gate_;
  const auto f = engine_.deploy<waiting_state>(
      "f", {.timeout = seconds(900), .keep_alive = seconds(1)});
  f(false).value();
  const auto sleeper = engine_.deploy(
      "sleeper", [](context& ctx) { ctx.sleep_for(seconds(2)); });
  auto slept = sleeper.async();
  engine_.run_for(milliseconds(1500));
  EXPECT_EQ(counts_.retired_for(retire_reason::expired), 1);

  engine_.run_for(seconds(1));
  EXPECT_TRUE(slept.ready());
  EXPECT_TRUE(slept.get());
  EXPECT_EQ(counts_.alive(), 1);
  gate_.release();
  engine_.poll();

  EXPECT_EQ(counts_.alive(), 0);
}

TEST_F(pumped_end_test, one_that_is_made_ahead_may_wait_in_its_init) {
  waiting_state::to_start = &gate_;
  const auto f = engine_.deploy<waiting_state>("f", {.provisioned = 1});
  engine_.poll();
  EXPECT_EQ(counts_.made, 1);
  EXPECT_EQ(engine_.describe().functions[0].versions[0].instances.size(), 0U);

  gate_.release();
  engine_.poll();

  EXPECT_EQ(f(false).usage().start, start_kind::provisioned);
}

struct inviting : counted<inviting> {
  static inline hotplate::engine* engine = nullptr;
  static inline int heard = 0;
  ~inviting() {
    auto started = engine->invoke_async("answer");
    heard += std::stoi(std::string(started.get().value().text()));
    heard += std::stoi(std::string(engine->invoke("answer").value().text()));
  }
  void operator()(context&) {}
};

TEST_F(pumped_end_test, an_end_may_invoke_other_functions) {
  inviting::counts = &counts_;
  inviting::engine = &engine_;
  inviting::heard = 0;
  engine_.deploy("answer", [](context& ctx) {
    ctx.sleep_for(milliseconds(1));
    return 21;
  });
  const auto f = engine_.deploy<inviting>("f", {.keep_alive = seconds(1)});
  f().value();

  engine_.run_for(seconds(2));

  EXPECT_EQ(inviting::heard, 42);
}

struct numbered : counted<numbered> {
  static inline int next = 0;
  const int number = next++;
  int operator()(context& ctx, milliseconds time) {
    if (time.count() > 0) ctx.sleep_for(time);
    return number;
  }
};

TEST_F(pumped_end_test, the_instance_used_last_is_used_first) {
  numbered::counts = &counts_;
  numbered::next = 0;
  const auto f = engine_.deploy<numbered>("f");
  auto first = f.async(milliseconds(3));
  auto second = f.async(milliseconds(1));
  auto third = f.async(milliseconds(2));
  engine_.run_until_idle();

  std::vector<hotplate::pending<int>> all;
  for (int i = 0; i < 4; ++i) all.push_back(f.async(milliseconds(1)));
  engine_.poll();
  std::vector<int> used;
  for (auto& each : all) used.push_back(each.get().value());

  EXPECT_EQ(used, (std::vector{0, 2, 1, 3}));
}

TEST(blocking_instances, expire_and_end_with_their_engine) {
  instance_counts counts;
  numbered::counts = &counts;
  {
    hotplate::engine engine({.workers = 1});
    const auto f = engine.deploy<numbered>(
        "f", {.keep_alive = milliseconds(1), .blocking = true});
    f(milliseconds(0)).value();
    EXPECT_TRUE(eventually(engine, [&] { return counts.alive() == 0; }));
    EXPECT_EQ(counts.retired_for(retire_reason::expired), 1);
    engine.deploy<numbered>("g", {.blocking = true})(milliseconds(0)).value();
  }
  EXPECT_EQ(counts.retired_for(retire_reason::shutdown), 1);
}

TEST(blocking_instances, take_the_memory_of_others) {
  using hotplate::literals::operator""_MiB;
  instance_counts counts;
  waiting_state::counts = &counts;
  hotplate::engine engine({.workers = 1, .instance_memory = 128_MiB});
  hotplate::semaphore gate(engine, 0);
  engine.deploy<waiting_state>("f")(false).value();
  waiting_state::to_end = &gate;
  const auto g =
      engine.deploy("g", [](context&) { return 1; }, {.blocking = true});

  auto started = g.async();
  ASSERT_TRUE(eventually(
      engine, [&] { return counts.retired_for(retire_reason::evicted) == 1; }));
  EXPECT_FALSE(started.ready()) << "it waits for that end";
  gate.release();

  EXPECT_EQ(started.get().value(), 1);
  EXPECT_EQ(counts.alive(), 0);
  waiting_state::to_end = nullptr;
}

// And stay on their worker meanwhile, who else would go on at once: their fiber
// has moved before, and remembers.
TEST(moving_handlers, wait_for_the_end_of_what_they_evict) {
  using hotplate::literals::operator""_MiB;
  instance_counts counts;
  waiting_state::counts = &counts;
  hotplate::engine engine({.workers = 2, .instance_memory = 256_MiB});
  hotplate::semaphore gate(engine, 0);
  const hotplate::function_config any{.affinity = hotplate::affinity::any};
  const auto before = engine.deploy(
      "before", [](context& ctx) { ctx.yield(); }, any);
  for (int i = 0; i < 20; ++i) before().value();
  engine.remove("before");
  ASSERT_TRUE(eventually(engine, [&] {
    return engine.stats().instance_memory == hotplate::mebibytes{0};
  }));
  engine.deploy<waiting_state>("f", {.memory = 256_MiB})(false).value();
  waiting_state::to_end = &gate;
  const auto g = engine.deploy(
      "g", [](context&) { return 1; }, any);

  auto started = g.async();
  ASSERT_TRUE(eventually(
      engine, [&] { return counts.retired_for(retire_reason::evicted) == 1; }));
  EXPECT_FALSE(started.wait_until(engine.now() + milliseconds(20)))
      << "it waits for that end";
  gate.release();

  EXPECT_EQ(started.get().value(), 1);
  waiting_state::to_end = nullptr;
}

}  // namespace
