#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>

#include "counted.hpp"

namespace {

using hotplate::context;
using hotplate::start_kind;
using std::chrono::seconds;

struct copied_state : counted<copied_state> {
  void operator()(context& ctx, bool wait) {
    if (wait) ctx.sleep_for(seconds(100));
  }
};

class snapshot_test : public testing::TestWithParam<int> {
 protected:
  snapshot_test() { copied_state::counts = &counts_; }

  instance_counts counts_;
  std::optional<hotplate::engine> owned_{
      std::in_place, hotplate::engine_config{.workers = GetParam()}};
  hotplate::engine& engine_ = *owned_;
};

struct uncopyable {
  std::unique_ptr<int> owned;
  void operator()(context&) {}
};

TEST_P(snapshot_test, a_state_that_cannot_be_copied_has_no_snapshot) {
  EXPECT_THROW(engine_.deploy<uncopyable>("g", {.snapshot = true}),
               hotplate::bad_config);
}

TEST_P(snapshot_test, further_instances_are_copies_of_the_snapshot) {
  const auto f = engine_.deploy<copied_state>("f", {.snapshot = true});
  auto first = f.async(true);
  ASSERT_TRUE(eventually(engine_, [&] { return counts_.copied == 1; }));

  const auto second = f(false);

  EXPECT_EQ(second.usage().start, start_kind::restored);
  EXPECT_GT(second.usage().init.count(), 0);
  EXPECT_EQ(counts_.made, 1);
  EXPECT_EQ(counts_.copied, 2);
  EXPECT_EQ(engine_.functions()[0].restored, 1U);
  EXPECT_EQ(f(false).usage().start, start_kind::warm);
  first.cancel();
  static_cast<void>(first.get());
  owned_.reset();
  EXPECT_EQ(counts_.alive(), 0) << "the snapshot as well";
}

struct remembering {
  int calls = 0;
  int operator()(context& ctx, bool wait) {
    if (wait) ctx.sleep_for(seconds(100));
    return ++calls;
  }
};

TEST_P(snapshot_test, a_snapshot_has_seen_no_invocation) {
  const auto f = engine_.deploy<remembering>("g", {.snapshot = true});
  f(false).value();
  auto held = f.async(true);
  ASSERT_TRUE(eventually(engine_, [&] {
    return engine_.functions()[0].in_flight == 1 &&
           engine_.functions()[0].instances == 1;
  }));

  std::optional<hotplate::outcome<int>> restored;
  ASSERT_TRUE(eventually(engine_, [&] {
    restored.emplace(f(false));
    return restored->usage().start == start_kind::restored;
  }));

  EXPECT_EQ(restored->value(), 1);
  held.cancel();
}

struct copy_thrower {
  static inline std::atomic<int> left = 0;
  copy_thrower() = default;
  copy_thrower(const copy_thrower&) {
    if (left-- > 0) throw 1;
  }
  void operator()(context& ctx, bool wait) {
    if (wait) ctx.sleep_for(seconds(100));
  }
};

TEST_P(snapshot_test, without_a_snapshot_the_next_is_initialised) {
  copy_thrower::left = 1;
  const auto f = engine_.deploy<copy_thrower>("g", {.snapshot = true});
  auto held = f.async(true);
  ASSERT_TRUE(eventually(engine_, [&] { return copy_thrower::left == 0; }));

  EXPECT_EQ(f(false).usage().start, start_kind::cold);
  auto second = f.async(true);
  ASSERT_TRUE(eventually(
      engine_, [&] { return engine_.functions()[0].in_flight == 2; }));
  EXPECT_TRUE(eventually(
      engine_, [&] { return f(false).usage().start != start_kind::warm; }));
  held.cancel();
  second.cancel();
}

INSTANTIATE_TEST_SUITE_P(workers, snapshot_test, testing::Values(0, 1, 2, 4));

TEST(pumped_snapshot, is_taken_anew_once_dropped) {
  instance_counts counts;
  copied_state::counts = &counts;
  hotplate::manual_clock clock;
  hotplate::engine engine({.workers = 0, .clock = &clock});
  const auto f = engine.deploy<copied_state>(
      "f", {.keep_alive = seconds(1), .snapshot = true});
  f(false).value();
  engine.run_for(seconds(10));
  EXPECT_EQ(f(false).usage().start, start_kind::restored);

  engine.deploy<copied_state>("f", {.snapshot = true});
  engine.poll();
  EXPECT_EQ(counts.alive(), 0) << "neither instances nor a snapshot";
  EXPECT_EQ(engine.roll_back("f"), 1U);

  EXPECT_EQ(f(false).usage().start, start_kind::cold);
}

}  // namespace
