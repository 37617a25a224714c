#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "counted.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::retire_reason;
using hotplate::stage;
using hotplate::start_kind;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

enum class work { nothing, wait, exhaust, raise };

struct lived_state : counted<lived_state> {
  void operator()(context& ctx, work what) {
    if (what == work::wait) ctx.sleep_for(seconds(100));
    if (what == work::raise) throw std::runtime_error("no");
    if (what == work::exhaust) {
      static_cast<void>(ctx.arena().allocate(std::size_t{1} << 30, 1));
    }
  }
};

class instance_life_test : public testing::TestWithParam<int> {
 protected:
  instance_life_test() { lived_state::counts = &counts_; }

  hotplate::function<void(work)> deploy(hotplate::function_config config = {}) {
    return engine_.deploy<lived_state>("f", config);
  }
  bool eventually_retired(retire_reason why, int count) {
    return eventually(engine_,
                      [&] { return counts_.retired_for(why) == count; });
  }

  instance_counts counts_;
  std::optional<hotplate::engine> owned_{
      std::in_place, hotplate::engine_config{.workers = GetParam()}};
  hotplate::engine& engine_ = *owned_;
};

TEST_P(instance_life_test, an_instance_serves_max_uses_invocations) {
  const auto f = deploy({.max_uses = 3});
  const std::vector<start_kind> expected = {start_kind::cold, start_kind::warm,
                                            start_kind::warm, start_kind::cold,
                                            start_kind::warm, start_kind::warm};

  std::vector<start_kind> starts;
  for (int i = 0; i < 6; ++i) starts.push_back(f(work::nothing).usage().start);

  if (GetParam() <= 1) {
    EXPECT_EQ(starts, expected);
    EXPECT_TRUE(eventually(engine_, [&] {
      return counts_.retired_for(retire_reason::used_up) == 2;
    }));
  }
  EXPECT_LE(counts_.made, 2);
}

TEST_P(instance_life_test, one_more_than_max_instances_is_throttled) {
  const auto f = deploy({.max_instances = 2});
  auto first = f.async(work::wait);
  auto second = f.async(work::wait);
  ASSERT_TRUE(eventually(engine_, [&] { return counts_.made == 2; }));

  const auto third = f(work::nothing);

  ASSERT_EQ(third.code(), errc::throttled);
  EXPECT_THAT(third.error().message, HasSubstr("max_instances"));
  EXPECT_EQ(third.error().limit, 2);
  EXPECT_EQ(third.error().function, "f");
  EXPECT_EQ(third.usage().start, start_kind::none);
  first.cancel();
  second.cancel();
  EXPECT_TRUE(
      eventually(engine_, [&] { return f(work::nothing).code() == errc::ok; }));
}

TEST_P(instance_life_test, what_failed_is_not_used_again_and_told_so) {
  const auto f = deploy({.timeout = milliseconds(200)});

  EXPECT_EQ(f(work::exhaust).code(), errc::out_of_memory);
  EXPECT_TRUE(eventually_retired(retire_reason::failed, 1));
  EXPECT_EQ(f(work::wait).code(), errc::timed_out);
  EXPECT_TRUE(eventually_retired(retire_reason::failed, 2));

  EXPECT_EQ(f(work::raise).code(), errc::function_threw);
  EXPECT_EQ(f(work::nothing).usage().start, start_kind::warm);
}

TEST_P(instance_life_test, ends_with_its_version_function_and_engine) {
  const auto f = deploy();
  f(work::nothing).value();

  deploy();
  EXPECT_TRUE(eventually_retired(retire_reason::redeployed, 1));
  f(work::nothing).value();
  engine_.remove("f");
  EXPECT_TRUE(eventually_retired(retire_reason::removed, 1));
  deploy()(work::nothing).value();
  owned_.reset();

  EXPECT_EQ(counts_.retired_for(retire_reason::shutdown), 1);
  EXPECT_EQ(counts_.retired_in_all(), 3);
  EXPECT_EQ(counts_.alive(), 0);
}

TEST_P(instance_life_test, is_told_before_it_is_destroyed) {
  struct telling {
    bool* told_first;
    bool told = false;
    explicit telling(bool* flag) : told_first(flag) {}
    telling(const telling& other) = default;
    ~telling() {
      if (told) *told_first = true;
    }
    void on_retire(retire_reason) noexcept { told = true; }
    void operator()(context&) {}
  };
  bool told_first = false;
  {
    hotplate::engine brief({.workers = GetParam()});
    brief.deploy("f", telling(&told_first))().value();
  }
  EXPECT_TRUE(told_first);
}

TEST_P(instance_life_test, a_failed_init_caches_nothing) {
  struct fragile {
    std::shared_ptr<int> failures;
    explicit fragile(std::shared_ptr<int> left) : failures(std::move(left)) {}
    fragile(const fragile& other) : failures(other.failures) {
      if ((*failures)-- > 0) throw std::runtime_error("not today");
    }
    fragile(fragile&&) = default;
    void operator()(context&) {}
  };
  const auto f = engine_.deploy("g", fragile(std::make_shared<int>(2)));

  for (int i = 0; i < 2; ++i) {
    const auto failed = f();
    EXPECT_EQ(failed.code(), errc::init_failed);
    EXPECT_EQ(failed.usage().reached, stage::init);
    EXPECT_THAT(failed.error().message, HasSubstr("not today"));
    EXPECT_EQ(engine_.functions()[0].instances, 0U);
  }
  EXPECT_EQ(f().usage().start, start_kind::cold);
}

struct nothing_to_init {
  nothing_to_init() { throw 7; }
  void operator()(context&) {}
};

TEST_P(instance_life_test, an_init_may_throw_anything) {
  const auto f = engine_.deploy<nothing_to_init>("g", {.max_instances = 1});

  for (int i = 0; i < 3; ++i) EXPECT_EQ(f().code(), errc::init_failed);
}

TEST_P(instance_life_test, bad_configuration_is_refused_field_by_field) {
  try {
    engine_.deploy("g", [](context&) {},
                   {.min_instances = 5,
                    .max_instances = 4,
                    .provisioned = 6,
                    .max_uses = -1,
                    .snapshot = true});
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(),
                testing::ElementsAre(
                    HasSubstr("min_instances = 5 instances: allowed "
                              "are 0 to 4"),
                    HasSubstr("provisioned = 6"), HasSubstr("max_uses = -1"),
                    HasSubstr("snapshot = true")));
  }
}

INSTANTIATE_TEST_SUITE_P(workers, instance_life_test,
                         testing::Values(0, 1, 2, 4));

class pumped_instance_test : public testing::Test {
 protected:
  pumped_instance_test() { lived_state::counts = &counts_; }

  /// Three instances, idle since now.
  void warm_three(const hotplate::function<void(work)>& f) {
    auto first = f.async(work::wait);
    auto second = f.async(work::wait);
    auto third = f.async(work::wait);
    engine_.poll();
    engine_.run_for(seconds(100));
    EXPECT_TRUE(first.get() && second.get() && third.get());
  }

  instance_counts counts_;
  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0, .clock = &clock_}};
};

TEST_F(pumped_instance_test, expires_after_its_keep_alive_time) {
  const auto f = engine_.deploy<lived_state>("f", {.keep_alive = minutes(5)});
  f(work::nothing).value();

  engine_.run_for(minutes(5) - milliseconds(1));
  EXPECT_EQ(counts_.alive(), 1);
  engine_.run_for(milliseconds(2));

  EXPECT_EQ(counts_.alive(), 0);
  EXPECT_EQ(counts_.retired_for(retire_reason::expired), 1);
}

TEST_F(pumped_instance_test, the_minimum_does_not_expire) {
  const auto f = engine_.deploy<lived_state>(
      "f",
      {.timeout = minutes(5), .keep_alive = minutes(5), .min_instances = 2});
  warm_three(f);
  EXPECT_EQ(counts_.alive(), 3);

  engine_.run_for(hours(100));

  EXPECT_EQ(counts_.alive(), 2);
  EXPECT_EQ(f(work::nothing).usage().start, start_kind::warm);
}

TEST_F(pumped_instance_test, one_beyond_the_minimum_expires_later_as_well) {
  const auto f = engine_.deploy<lived_state>(
      "f",
      {.timeout = minutes(5), .keep_alive = minutes(5), .min_instances = 1});
  f(work::nothing).value();
  engine_.run_for(hours(1));
  EXPECT_EQ(counts_.alive(), 1);

  warm_three(f);
  EXPECT_EQ(counts_.alive(), 3);
  engine_.run_for(minutes(6));

  EXPECT_EQ(counts_.alive(), 1);
}

TEST_F(pumped_instance_test, the_minimum_stays_without_any_keep_alive) {
  const auto f =
      engine_.deploy<lived_state>("f", {.timeout = minutes(5),
                                        .keep_alive = milliseconds(0),
                                        .min_instances = 1});

  warm_three(f);

  EXPECT_EQ(counts_.alive(), 1);
  EXPECT_EQ(f(work::nothing).usage().start, start_kind::warm);
}

struct slow_to_init {
  static inline hotplate::manual_clock* clock = nullptr;
  static inline seconds time{0};
  slow_to_init() { clock->advance(time); }
  void operator()(context&) {}
};

TEST_F(pumped_instance_test, an_init_has_ten_seconds) {
  slow_to_init::clock = &clock_;
  slow_to_init::time = seconds(10);
  const auto f = engine_.deploy<slow_to_init>("g");
  const auto slow = f();
  EXPECT_TRUE(slow) << slow.error().message;

  engine_.run_for(hours(1));
  slow_to_init::time = seconds(11);
  const auto late = f();

  EXPECT_EQ(late.code(), errc::timed_out);
}

}  // namespace
