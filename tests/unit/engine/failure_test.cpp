#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory_resource>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::literals::operator""_MiB;
using std::chrono::milliseconds;
using testing::HasSubstr;

class failure_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam(), .max_concurrency = 100}};
};

TEST_P(failure_test, an_unknown_name_is_not_found) {
  const auto outcome = engine_.invoke("nobody");

  EXPECT_EQ(outcome.code(), errc::not_found);
  EXPECT_THAT(outcome.error().message, HasSubstr("nobody"));
  EXPECT_EQ(engine_.stats().not_found, 1U);
}

TEST_P(failure_test, an_exception_ends_its_invocation_only) {
  const auto risky = engine_.deploy("risky", [](context&, bool fail) {
    if (fail) throw std::out_of_range("too far");
    return 1;
  });

  const auto failed = risky(true);

  EXPECT_EQ(failed.code(), errc::function_threw);
  EXPECT_EQ(failed.error().exception_type, "std::out_of_range");
  EXPECT_THAT(failed.error().message, HasSubstr("risky"));
  EXPECT_THAT(failed.error().message, HasSubstr("too far"));
  EXPECT_EQ(risky(false).value(), 1);
}

TEST_P(failure_test, an_exception_may_have_nothing_to_say) {
  struct silent : std::exception {
    const char* what() const noexcept override { return nullptr; }
  };
  const auto mute = engine_.deploy("mute", [](context&) { throw silent(); });

  EXPECT_THAT(mute().error().message, HasSubstr("(null)"));
}

TEST_P(failure_test, what_is_thrown_need_not_be_an_exception_object) {
  const auto odd = engine_.deploy("odd", [](context&) { throw 42; });

  const auto failed = odd();

  EXPECT_EQ(failed.code(), errc::function_threw);
  EXPECT_EQ(failed.error().exception_type, "int");
}

TEST_P(failure_test, an_instance_survives_an_exception) {
  const auto risky = engine_.deploy("risky", [](context&, bool fail) {
    if (fail) throw std::runtime_error("once");
  });

  EXPECT_FALSE(risky(true));

  EXPECT_EQ(risky(false).usage().start, hotplate::start_kind::warm);
}

TEST_P(failure_test, memory_beyond_the_limit_ends_it_even_if_swallowed) {
  const auto greedy = engine_.deploy("greedy", [](context& ctx) {
    std::pmr::vector<std::byte> all(&ctx.arena());
    try {
      all.resize(200 << 20);
    } catch (const std::bad_alloc&) {
    }
  });

  const auto failed = greedy();

  EXPECT_EQ(failed.code(), errc::out_of_memory);
  EXPECT_EQ(failed.error().limit, (128_MiB).bytes());
  EXPECT_EQ(greedy().usage().start, hotplate::start_kind::cold)
      << "its instance is not used again";
}

TEST_P(failure_test, an_event_that_does_not_decode_is_the_callers_error) {
  engine_.deploy("twice", [](context&, int x) { return 2 * x; });

  const auto failed = engine_.invoke("twice", "two");

  EXPECT_EQ(failed.code(), errc::bad_event);
  EXPECT_THAT(failed.error().message, HasSubstr("expected a number"));
}

struct never_starts {
  never_starts() { throw std::runtime_error("no database"); }
  void operator()(context&) {}
};

TEST_P(failure_test, a_failed_cold_start_caches_nothing) {
  const auto broken = engine_.deploy<never_starts>("broken");

  const auto failed = broken();

  EXPECT_EQ(failed.code(), errc::init_failed);
  EXPECT_THAT(failed.error().message, HasSubstr("no database"));
  EXPECT_EQ(failed.usage().start, hotplate::start_kind::cold);
  EXPECT_EQ(engine_.functions().front().instances, 0U);
}

TEST_P(failure_test, the_engine_has_a_limit_of_its_own) {
  std::unique_ptr<hotplate::function<int(int)>> self;
  auto chain = engine_.deploy("chain", [&self](context&, int n) -> int {
    const auto deeper = (*self)(n + 1);
    return deeper ? deeper.value()
                  : (deeper.code() == errc::throttled ? n : -1);
  });
  self = std::make_unique<hotplate::function<int(int)>>(chain);

  EXPECT_EQ(chain(1).value(), 100) << "max_concurrency = 100";
}

TEST_P(failure_test, sizes_are_limited_and_named) {
  hotplate::engine small(
      {.workers = GetParam(), .max_event_bytes = 4, .max_response_bytes = 5});
  small.deploy("repeat", [](context&, std::string_view text) {
    return std::string(text) + std::string(text);
  });

  EXPECT_EQ(small.invoke("repeat", "12").value().text(), "1212");
  const auto event = small.invoke("repeat", "12345");
  EXPECT_EQ(event.code(), errc::event_too_large);
  EXPECT_EQ(event.error().limit, 4);
  EXPECT_EQ(event.error().value, 5);
  const auto response = small.invoke("repeat", "123");
  EXPECT_EQ(response.code(), errc::response_too_large);
  EXPECT_EQ(response.error().value, 6);
}

TEST_P(failure_test, an_event_larger_than_the_functions_memory_is_refused) {
  hotplate::engine roomy({.workers = GetParam(), .max_event_bytes = 1 << 30});
  roomy.deploy("size",
               [](context&, std::string_view text) { return text.size(); });
  const std::string event((128 << 20) + 1, 'x');

  EXPECT_EQ(roomy.invoke("size", event).code(), errc::out_of_memory);
}

// Suspending inside a catch block must not disturb another fiber's exceptions.
TEST_P(failure_test, exceptions_stay_with_their_fiber) {
  const auto thrower =
      engine_.deploy("thrower", [](context& ctx, int n) -> int {
        try {
          throw std::runtime_error(std::to_string(n));
        } catch (const std::runtime_error& why) {
          ctx.sleep_for(milliseconds(1));
          try {
            throw std::logic_error("inner");
          } catch (const std::logic_error&) {
            ctx.yield();
          }
          EXPECT_EQ(std::uncaught_exceptions(), 0);
          EXPECT_NE(std::current_exception(), nullptr);
          try {
            throw;
          } catch (const std::runtime_error& again) {
            return std::stoi(again.what());
          }
        }
      });
  std::vector<hotplate::pending<int>> started;
  for (int i = 0; i < 50; ++i) started.push_back(thrower.async(i));

  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(started[static_cast<std::size_t>(i)].get().value(), i);
  }
}

INSTANTIATE_TEST_SUITE_P(workers, failure_test, testing::Values(0, 1, 2));

// One worker: `held` has not started when the next one comes.
TEST(one_worker, throttles_a_function_at_its_limit) {
  hotplate::engine engine({.workers = 1});
  const auto inner =
      engine.deploy("inner", [](context&) {}, {.max_concurrency = 1});
  const auto outer = engine.deploy("outer", [&](context& ctx) {
    auto held = inner.async();
    const auto refused = inner();
    EXPECT_EQ(refused.code(), errc::throttled);
    EXPECT_EQ(refused.error().limit, 1);
    EXPECT_EQ(refused.error().function, "inner");
    held.get().value();
    ctx.yield();
    EXPECT_TRUE(inner());
  });
  EXPECT_TRUE(outer());
}

}  // namespace
