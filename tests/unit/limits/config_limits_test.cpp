// Long because: it lists every field of two configurations.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "hotplate/engine.hpp"

// Every field that has a range: the ends of the range are taken, what is just
// beyond them is refused by name, value and range, and changes nothing.

namespace {

using hotplate::bad_config;
using hotplate::context;
using hotplate::engine;
using hotplate::engine_config;
using hotplate::errc;
using hotplate::function_config;
using std::chrono::milliseconds;

constexpr std::int64_t many = std::int64_t{1} << 40;
constexpr std::int64_t hour = 3'600'000;

template <typename Config>
struct field {
  std::string_view name;
  void (*set)(Config&, std::int64_t);
  std::int64_t least;
  std::int64_t most;
  std::string_view unit;
  // 0 below 0 cannot be told where the type has no sign.
  bool has_below = true;

  std::string refusal(std::int64_t value) const {
    return std::string(name) + " = " + std::to_string(value) + " " +
           std::string(unit) + ": allowed are " + std::to_string(least) +
           " to " + std::to_string(most);
  }
};

/// What is wrong, one sentence a field; nothing if `call` does not throw.
template <typename Call>
std::vector<std::string> problems_of(const Call& call) {
  try {
    call();
  } catch (const bad_config& why) {
    return why.problems();
  }
  return {};
}

using of_engine = field<engine_config>;
const std::vector<of_engine> engine_fields = {
    {"workers",
     [](engine_config& in, std::int64_t to) {
       // -1 means as many as there are hardware threads.
       in.workers = static_cast<int>(to < 0 ? -2 : to);
     },
     0, 1024, "threads", false},
    {"max_spare_threads",
     [](engine_config& in, std::int64_t to) {
       in.max_spare_threads = static_cast<int>(to);
     },
     0, 1024, "threads"},
    {"max_blocking_threads",
     [](engine_config& in, std::int64_t to) {
       in.max_blocking_threads = static_cast<int>(to);
     },
     1, 1024, "threads"},
    {"max_guest_threads",
     [](engine_config& in, std::int64_t to) {
       in.max_guest_threads = static_cast<int>(to);
     },
     1, 1024, "threads"},
    {"max_concurrency",
     [](engine_config& in, std::int64_t to) { in.max_concurrency = to; }, 1,
     many, "invocations"},
    {"max_concurrency_per_tenant",
     [](engine_config& in, std::int64_t to) {
       in.max_concurrency_per_tenant = to;
     },
     0, many, "invocations"},
    {"max_tenants",
     [](engine_config& in, std::int64_t to) { in.max_tenants = to; }, 1, many,
     "tenants"},
    {"max_queued_events",
     [](engine_config& in, std::int64_t to) { in.max_queued_events = to; }, 0,
     many, "events"},
    {"max_dead_letters",
     [](engine_config& in, std::int64_t to) { in.max_dead_letters = to; }, 0,
     many, "letters"},
    {"max_event_keys",
     [](engine_config& in, std::int64_t to) { in.max_event_keys = to; }, 0,
     many, "keys"},
    {"spin",
     [](engine_config& in, std::int64_t to) {
       in.spin = std::chrono::microseconds(to);
     },
     0, 1'000'000, "us"},
    {"least_log_level",
     [](engine_config& in, std::int64_t to) {
       in.least_log_level = static_cast<hotplate::log_level>(to);
     },
     0, 3, "(debug 0, info 1, warning 2, error 3)", false},
};

TEST(engine_config_limits, the_ends_of_each_range_are_taken) {
  for (const of_engine& each : engine_fields) {
    SCOPED_TRACE(each.name);
    // A thousand threads are a matter of the machine, not of the limit.
    const bool costly = each.name == "workers";
    for (const std::int64_t value : {each.least, costly ? 2 : each.most}) {
      engine_config config{.workers = 0};
      each.set(config, value);
      engine made(config);
      EXPECT_EQ(made.deploy("one", [](context&) { return 1; })().value(), 1);
    }
  }
}

TEST(engine_config_limits, what_is_just_beyond_is_refused_by_name_and_range) {
  for (const of_engine& each : engine_fields) {
    std::vector<std::int64_t> beyond = {each.most + 1};
    if (each.has_below) beyond.push_back(each.least - 1);
    for (const std::int64_t value : beyond) {
      engine_config config{.workers = 0};
      each.set(config, value);
      EXPECT_THAT(problems_of([&] { engine refused(config); }),
                  testing::ElementsAre(each.refusal(value)));
    }
  }
}

TEST(engine_config_limits, all_that_is_wrong_is_told_at_once) {
  engine_config config;
  std::vector<testing::Matcher<std::string>> expected;
  for (const of_engine& each : engine_fields) {
    each.set(config, each.most + 1);
    expected.emplace_back(each.refusal(each.most + 1));
  }
  config.name = "";
  expected.emplace_back(R"(name = "": allowed are 1 to 9 characters)");
  config.meters = {nullptr};
  expected.emplace_back("meters: one of them is null");

  EXPECT_THAT(problems_of([&] { engine refused(config); }),
              testing::UnorderedElementsAreArray(expected));
}

TEST(engine_config_limits, its_name_has_one_to_nine_characters) {
  for (const std::size_t length : {1U, 9U}) {
    engine made({.workers = 0, .name = std::string(length, 'n')});
  }
  EXPECT_THAT(
      problems_of([] { engine refused({.workers = 0, .name = "1234567890"}); }),
      testing::ElementsAre(
          R"(name = "1234567890": allowed are 1 to 9 characters)"));
  EXPECT_THAT(problems_of([] {
                engine refused({.workers = 0, .name = std::string("a\0b", 3)});
              }),
              testing::ElementsAre(
                  R"(name = "a\x00b": a thread's name ends at its first NUL)"));
}

using of_function = field<function_config>;
const std::vector<of_function> function_fields = {
    {"memory",
     [](function_config& in, std::int64_t to) {
       in.memory = {static_cast<std::uint32_t>(to)};
     },
     128, 10'240, "MiB"},
    {"timeout",
     [](function_config& in, std::int64_t to) {
       in.timeout = milliseconds(to);
     },
     1, 900'000, "ms"},
    {"max_concurrency",
     [](function_config& in, std::int64_t to) { in.max_concurrency = to; }, 1,
     many, "invocations"},
    {"reserved_concurrency",
     [](function_config& in, std::int64_t to) { in.reserved_concurrency = to; },
     -1, many, "invocations"},
    {"max_waiting",
     [](function_config& in, std::int64_t to) { in.max_waiting = to; }, 0, many,
     "invocations"},
    {"keep_alive",
     [](function_config& in, std::int64_t to) {
       in.keep_alive = milliseconds(to);
     },
     0, 365 * 24 * hour, "ms"},
    {"max_instances",
     [](function_config& in, std::int64_t to) { in.max_instances = to; }, 0,
     many, "instances"},
    {"min_instances",
     [](function_config& in, std::int64_t to) { in.min_instances = to; }, 0,
     1'000, "instances"},
    {"provisioned",
     [](function_config& in, std::int64_t to) { in.provisioned = to; }, 0,
     1'000, "instances"},
    {"max_uses", [](function_config& in, std::int64_t to) { in.max_uses = to; },
     0, many, "invocations"},
    {"stack_bytes",
     [](function_config& in, std::int64_t to) {
       in.stack_bytes = static_cast<std::size_t>(to);
     },
     16 << 10, 64 << 20, "bytes"},
    {"environment",
     [](function_config& in, std::int64_t to) {
       in.environment = {{"k", std::string(static_cast<std::size_t>(to), 'v')}};
       if (to > 0) in.environment.begin()->second.pop_back();
     },
     0, 4096, "bytes", false},
    {"retry.max_attempts",
     [](function_config& in, std::int64_t to) {
       in.retry.max_attempts = static_cast<std::uint32_t>(to);
     },
     1, 100, "attempts"},
    {"retry.longest_backoff",
     [](function_config& in, std::int64_t to) {
       in.retry.first_backoff = milliseconds(std::min<std::int64_t>(to, 0));
       in.retry.longest_backoff = milliseconds(to);
     },
     1, 6 * hour, "ms", false},
    {"retry.first_backoff",
     [](function_config& in, std::int64_t to) {
       in.retry.first_backoff = milliseconds(to);
     },
     0, 300'000, "ms"},
    {"retry.max_age",
     [](function_config& in, std::int64_t to) {
       in.retry.max_age = milliseconds(to);
     },
     1, 14 * 24 * hour, "ms"},
    {"affinity",
     [](function_config& in, std::int64_t to) {
       in.affinity = static_cast<hotplate::affinity>(to);
     },
     0, 1, "(worker 0, any 1)", false},
};

/// With nothing deployed, and room for any reservation.
class function_config_limits : public testing::Test {
 protected:
  std::vector<std::string> try_deploy(const function_config& config) {
    return problems_of([&] {
      engine_.deploy(
          "f", [](context&) {}, config);
    });
  }
  void expect_nothing_deployed() {
    EXPECT_EQ(engine_.invoke("f").code(), errc::not_found);
    EXPECT_TRUE(engine_.functions().empty());
    EXPECT_TRUE(engine_.describe().functions.empty());
    EXPECT_EQ(engine_.describe().reserved, 0);
  }

  hotplate::manual_clock clock_;
  engine engine_{{.workers = 0, .max_concurrency = many, .clock = &clock_}};
};

TEST_F(function_config_limits, the_ends_of_each_range_are_taken) {
  for (const of_function& each : function_fields) {
    for (const std::int64_t value : {each.least, each.most}) {
      function_config config;
      each.set(config, value);
      EXPECT_THAT(try_deploy(config), testing::IsEmpty()) << each.name;
      EXPECT_TRUE(engine_.remove("f"));
    }
  }
}

TEST_F(function_config_limits,
       what_is_just_beyond_is_refused_and_changes_none) {
  for (const of_function& each : function_fields) {
    std::vector<std::int64_t> beyond = {each.most + 1};
    if (each.has_below) beyond.push_back(each.least - 1);
    for (const std::int64_t value : beyond) {
      function_config config;
      each.set(config, value);
      if (value < 0 && each.name == "retry.max_attempts") continue;
      EXPECT_THAT(try_deploy(config),
                  testing::ElementsAre(each.refusal(value)));
    }
  }
  expect_nothing_deployed();
}

TEST_F(function_config_limits, all_that_is_wrong_is_told_at_once) {
  function_config config;
  std::vector<testing::Matcher<std::string>> expected;
  for (const of_function& each : function_fields) {
    if (each.name.starts_with("retry.l")) continue;  // Bounds another one.
    if (each.name == "max_instances") continue;
    each.set(config, each.most + 1);
    if (each.name == "min_instances" || each.name == "provisioned") {
      config.max_instances = each.most;
    }
    expected.emplace_back(each.refusal(each.most + 1));
  }

  EXPECT_THAT(try_deploy(config), testing::UnorderedElementsAreArray(expected));
  expect_nothing_deployed();
}

TEST_F(function_config_limits, a_null_handler_is_refused) {
  int (*const pointer)(int) = nullptr;
  const std::function<void(context&)> empty;

  for (const auto& problems :
       {problems_of([&] { engine_.deploy("f", pointer); }),
        problems_of([&] { engine_.deploy("f", empty); })}) {
    EXPECT_THAT(problems, testing::ElementsAre("handler = null: expected a "
                                               "function, or what can be "
                                               "called"));
  }
  expect_nothing_deployed();
}

TEST_F(function_config_limits, the_longest_durations_of_all_are_refused) {
  function_config config;
  config.timeout = config.keep_alive = milliseconds::max();
  config.retry = {.first_backoff = milliseconds::max(),
                  .longest_backoff = milliseconds::max(),
                  .max_age = milliseconds::max()};
  EXPECT_EQ(try_deploy(config).size(), 4U) << "first_backoff is the longest";

  config.timeout = config.keep_alive = milliseconds::min();
  config.retry.first_backoff = milliseconds::min();
  EXPECT_EQ(try_deploy(config).size(), 5U);
  expect_nothing_deployed();
}

TEST_F(function_config_limits, more_than_the_engine_has_is_not_reserved) {
  engine small({.workers = 0, .max_concurrency = 5});
  small.deploy("other", [](context&) {}, {.reserved_concurrency = 2});

  EXPECT_THAT(
      problems_of([&] {
        small.deploy("f", [](context&) {}, {.reserved_concurrency = 4});
      }),
      testing::ElementsAre("reserved_concurrency = 4 invocations: the engine's "
                           "max_concurrency is 5, of which 2 are reserved"));
  EXPECT_EQ(small.functions().size(), 1U);
  EXPECT_EQ(small.describe().functions.size(), 1U);
}

}  // namespace
