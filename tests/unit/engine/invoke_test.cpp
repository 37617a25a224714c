#include <gtest/gtest.h>

#include <atomic>
#include <cfenv>
#include <memory>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::start_kind;

// Host-pumped, and with one, two and eight workers.
class invoke_test : public testing::TestWithParam<int> {
 protected:
  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(invoke_test, a_function_answers_by_name) {
  engine_.deploy("hello", [](context&, std::string_view name) {
    return "Hello " + std::string(name) + "!";
  });

  const auto outcome = engine_.invoke("hello", "Shift");

  EXPECT_EQ(outcome.value().text(), "Hello Shift!");
}

TEST_P(invoke_test, a_handle_needs_no_codec) {
  struct point {
    int x;
    int y;
  };
  const auto mirror = engine_.deploy("mirror", [](context&, point p) {
    return point{-p.x, p.y};
  });

  const auto outcome = mirror(point{3, 4});

  EXPECT_EQ(outcome.value().x, -3);
  EXPECT_EQ(engine_.invoke("mirror").code(), errc::no_codec);
}

TEST_P(invoke_test, a_handler_may_leave_its_context_out) {
  const auto twice = engine_.deploy("twice", [](int x) { return 2 * x; });

  EXPECT_EQ(twice(21).value(), 42);
}

TEST_P(invoke_test, an_argument_that_can_only_move_moves) {
  const auto read = engine_.deploy(
      "read", [](context&, std::unique_ptr<int> box) { return box; });

  EXPECT_EQ(*read(std::make_unique<int>(7)).value(), 7);
}

TEST_P(invoke_test, a_result_larger_than_the_record_arrives_whole) {
  struct page {
    std::array<int, 1000> words;
  };
  const auto fill = engine_.deploy("fill", [](context&, int with) {
    page full{};
    full.words.fill(with);
    return full;
  });

  EXPECT_EQ(fill(9).value().words.back(), 9);
}

TEST_P(invoke_test, an_event_may_move_through_a_handler_and_back) {
  engine_.deploy("echo", [](context&, hotplate::payload event) {
    return event;  // As it is.
  });
  hotplate::payload event(std::string(100'000, 'x'));
  const std::byte* const where = event.data();

  const auto moved = engine_.invoke("echo", std::move(event));
  const auto copied = engine_.invoke("echo", moved.value().view());

  EXPECT_EQ(moved.value().data(), where) << "never copied";
  EXPECT_NE(copied.value().data(), where);
  EXPECT_EQ(copied.value().text(), moved.value().text());
}

TEST_P(invoke_test, an_event_given_by_value_is_not_copied) {
  engine_.deploy("where", [](context&, hotplate::payload_view event) {
    return reinterpret_cast<std::uintptr_t>(event.data());
  });
  std::string event(100, 'x');
  const auto before =
      std::to_string(reinterpret_cast<std::uintptr_t>(event.data()));

  const auto outcome =
      engine_.invoke("where", hotplate::payload(std::move(event)));

  EXPECT_EQ(outcome.value().text(), before);
}

TEST_P(invoke_test, the_second_call_finds_the_firsts_instance_warm) {
  const auto call = engine_.deploy("call", [](context&) {});

  const auto first = call();
  const auto second = call();

  EXPECT_EQ(first.usage().start, start_kind::cold);
  EXPECT_EQ(second.usage().start, start_kind::warm);
}

struct counting {
  int calls = 0;
  int operator()(context&) { return ++calls; }
};

TEST_P(invoke_test, an_instance_keeps_its_state_while_warm) {
  const auto count = engine_.deploy<counting>("count");

  count().value();
  count().value();

  EXPECT_EQ(count().value(), 3);
}

TEST_P(invoke_test, a_callable_that_changes_itself_is_copied_per_instance) {
  const auto count =
      engine_.deploy("count", [n = 0](context&) mutable { return ++n; },
                     {.keep_alive = std::chrono::milliseconds(0)});

  EXPECT_EQ(count().value(), 1);
  EXPECT_EQ(count().value(), 1) << "the second instance is a fresh copy";
}

TEST_P(invoke_test, a_handler_invokes_other_functions) {
  const auto add =
      engine_.deploy("add", [](context&, int a, int b) { return a + b; });
  engine_.deploy("length", [](context&, std::string_view text) {
    return static_cast<int>(text.size());
  });
  const auto both = engine_.deploy("both", [&](context& ctx, int x) {
    const auto length = ctx.invoke("length", "four");
    return add(x, std::stoi(std::string(length.value().text()))).value();
  });

  EXPECT_EQ(both(1).value(), 5);
}

TEST_P(invoke_test, calls_nest_deeply) {
  std::unique_ptr<hotplate::function<int(int)>> self;
  auto deployed = engine_.deploy("sum", [&self](context&, int n) -> int {
    return n == 0 ? 0 : n + (*self)(n - 1).value();
  });
  self = std::make_unique<hotplate::function<int(int)>>(deployed);

  EXPECT_EQ(deployed(200).value(), 20'100);
}

TEST_P(invoke_test, many_run_at_once_and_each_gets_its_own_answer) {
  const auto square =
      engine_.deploy("square", [](context&, int x) { return x * x; });
  std::vector<hotplate::pending<int>> started;
  for (int i = 0; i < 500; ++i) started.push_back(square.async(i));

  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(started[static_cast<std::size_t>(i)].get().value(), i * i);
  }
}

TEST_P(invoke_test, a_handler_waits_for_several_it_has_started) {
  const auto square =
      engine_.deploy("square", [](context&, int x) { return x * x; });
  const auto fan = engine_.deploy("fan", [&](context&, int n) {
    std::vector<hotplate::pending<int>> started;
    for (int i = 1; i <= n; ++i) started.push_back(square.async(i));
    int sum = 0;
    for (auto& each : started) sum += each.get().value();
    return sum;
  });

  EXPECT_EQ(fan(100).value(), 338'350);
}

TEST_P(invoke_test, a_dropped_pending_finishes_and_is_counted) {
  std::atomic<int> ran = 0;
  const auto touch = engine_.deploy("touch", [&](context&) { ++ran; });

  { auto dropped = touch.async(); }
  engine_.drain(std::chrono::seconds(10));

  EXPECT_EQ(ran, 1);
  EXPECT_EQ(engine_.functions().front().count(errc::ok), 1U);
}

TEST_P(invoke_test, how_a_handler_rounds_is_its_own_matter) {
  const auto careless = engine_.deploy(
      "careless", [](context&) { return std::fesetround(FE_UPWARD); });
  const auto next =
      engine_.deploy("next", [](context&) { return std::fegetround(); });
  const auto caller = engine_.deploy("caller", [&](context& ctx) {
    std::fesetround(FE_DOWNWARD);
    const bool apart = careless().has_value() && next().value() == FE_TONEAREST;
    ctx.yield();
    return apart && std::fegetround() == FE_DOWNWARD;
  });

  EXPECT_TRUE(caller().value());
  EXPECT_EQ(next().value(), FE_TONEAREST);
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

TEST_P(invoke_test, a_suspended_handler_lets_others_run) {
  const auto nap = engine_.deploy("nap", [](context& ctx) {
    ctx.sleep_for(std::chrono::milliseconds(20));
  });
  const auto start = std::chrono::steady_clock::now();
  std::vector<hotplate::pending<void>> sleepers;
  for (int i = 0; i < 100; ++i) sleepers.push_back(nap.async());

  for (auto& each : sleepers) each.get().value();

  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1))
      << "a hundred naps of 20 ms take turns on the workers";
}

INSTANTIATE_TEST_SUITE_P(workers, invoke_test, testing::Values(0, 1, 2, 8));

TEST(one_worker, lets_yielding_handlers_take_turns) {
  std::string order;
  hotplate::engine engine({.workers = 0});
  const auto write = engine.deploy("write", [&](context& ctx, char c) {
    for (int i = 0; i < 3; ++i) {
      order += c;
      ctx.yield();
    }
  });
  const auto both = engine.deploy("both", [&](context&) {
    auto other = write.async('b');
    write('a').value();
    other.get().value();
  });
  both().value();

  EXPECT_NE(order.find("ba"), std::string::npos) << order;
}

}  // namespace
