#include "hotplate/sched/fiber.hpp"

#include <gtest/gtest.h>

#include <array>
#include <exception>
#include <numeric>
#include <string>

#include "strand.hpp"

namespace {

using hotplate::detail::fiber;

// What the exception being handled says; "none" if none is.
std::string caught_now() {
  const std::exception_ptr now = std::current_exception();
  if (now == nullptr) return "none";
  try {
    std::rethrow_exception(now);
  } catch (const std::string& text) {
    return text;
  }
}

TEST(fiber_test, the_first_switch_starts_its_body) {
  int steps = 0;
  strand other([&](strand&) { ++steps; });
  const int before = steps;

  other.go_on();

  EXPECT_EQ(before, 0);
  EXPECT_EQ(steps, 1);
  EXPECT_TRUE(other.ended());
}

TEST(fiber_test, goes_on_from_where_it_was_left) {
  std::string trace;
  strand other([&](strand& self) {
    for (const char step : {'a', 'b', 'c'}) {
      trace += step;
      self.pause();
    }
  });

  for (int i = 0; i < 3; ++i) {
    other.go_on();
    trace += '-';
  }

  EXPECT_EQ(trace, "a-b-c-");
  EXPECT_FALSE(other.ended());
}

TEST(fiber_test, keeps_its_locals_while_others_run) {
  int sum = 0;
  const auto add_up = [&](strand& self) {
    std::array<int, 1'000> values{};
    std::iota(values.begin(), values.end(), 1);
    self.pause();
    sum += std::accumulate(values.begin(), values.end(), 0);
  };
  strand one(add_up), two(add_up);

  one.go_on();
  two.go_on();
  one.go_on();
  two.go_on();

  EXPECT_EQ(sum, 2 * 500'500);
}

TEST(fiber_test, what_comes_after_a_switch_runs_once_the_fiber_was_left) {
  std::string trace;
  const auto act = [](void* to) { *static_cast<std::string*>(to) += "then "; };
  strand other([&](strand& self) {
    trace += "leave ";
    self.pause({act, &trace});
    trace += "back";
  });

  other.go_on();
  trace += "reached ";
  other.go_on();

  EXPECT_EQ(trace, "leave then reached back");
}

TEST(fiber_test, only_a_fiber_without_a_stack_of_its_own_owns_the_thread) {
  const fiber thread;
  strand other([](strand&) {});

  EXPECT_TRUE(thread.owns_thread());
  EXPECT_FALSE(other.fiber().owns_thread());
  EXPECT_EQ(other.fiber().stack_class(), 16);
}

TEST(fiber_test, an_exception_thrown_and_caught_inside_stays_inside) {
  std::string caught;
  strand other([&](strand&) {
    try {
      throw std::string("inner");
    } catch (const std::string& text) {
      caught = text;
    }
  });

  other.go_on();

  EXPECT_EQ(caught, "inner");
  EXPECT_EQ(caught_now(), "none");
}

TEST(fiber_exceptions_test, a_handled_one_is_not_seen_by_who_runs_meanwhile) {
  strand other([](strand& self) {
    try {
      throw std::string("inner");
    } catch (const std::string&) {
      self.pause();
    }
  });

  other.go_on();

  EXPECT_EQ(caught_now(), "none");
  other.go_on();
  EXPECT_TRUE(other.ended());
}

TEST(fiber_exceptions_test, a_handled_one_is_still_there_after_a_suspension) {
  std::string after;
  strand other([&](strand& self) {
    try {
      throw std::string("inner");
    } catch (const std::string&) {
      self.pause();
      after = caught_now();
    }
  });

  other.go_on();
  try {
    throw std::string("outer");
  } catch (const std::string&) {
    other.go_on();
    EXPECT_EQ(caught_now(), "outer");
  }

  EXPECT_EQ(after, "inner");
}

TEST(fiber_exceptions_test, a_bare_throw_after_a_suspension_throws_ones_own) {
  std::string trace;
  const auto rethrow = [&](const char* mine) {
    return [&trace, mine](strand& self) {
      try {
        try {
          throw std::string(mine);
        } catch (const std::string&) {
          self.pause();
          throw;
        }
      } catch (const std::string& text) {
        trace += text;
      }
    };
  };
  strand one(rethrow("1")), two(rethrow("2")), three(rethrow("3"));

  for (strand* each : {&one, &two, &three}) each->go_on();
  for (strand* each : {&two, &three, &one}) each->go_on();

  EXPECT_EQ(trace, "231");
}

TEST(fiber_exceptions_test, nested_handled_ones_come_back_in_their_order) {
  std::string trace;
  strand other([&](strand& self) {
    try {
      throw std::string("outer");
    } catch (const std::string&) {
      try {
        throw std::string("inner");
      } catch (const std::string&) {
        self.pause();
        trace += caught_now() + " ";
      }
      self.pause();
      trace += caught_now();
    }
  });

  for (int i = 0; i < 3; ++i) other.go_on();

  EXPECT_EQ(trace, "inner outer");
}

TEST(fiber_exceptions_test, none_reaches_a_fiber_that_starts_in_a_catch) {
  std::string inside;
  strand other([&](strand&) { inside = caught_now(); });

  try {
    throw std::string("outer");
  } catch (const std::string&) {
    other.go_on();
  }

  EXPECT_EQ(inside, "none");
}

// Suspends while an exception passes it.
struct pausing {
  strand& self;
  int& uncaught_after;
  ~pausing() {
    self.pause();
    uncaught_after = std::uncaught_exceptions();
  }
};

TEST(fiber_exceptions_test, one_in_flight_counts_only_for_its_fiber) {
  int after = -1;
  strand other([&](strand& self) {
    try {
      const pausing passed{self, after};
      throw std::string("inner");
    } catch (const std::string&) {
    }
  });

  other.go_on();
  const int meanwhile = std::uncaught_exceptions();
  other.go_on();

  EXPECT_EQ(meanwhile, 0);
  EXPECT_EQ(after, 1);
  EXPECT_TRUE(other.ended());
}

TEST(fiber_wake_test, the_first_to_name_a_wait_ends_it) {
  fiber waiting;

  const std::uint32_t wait = waiting.arm();

  EXPECT_TRUE(waiting.wake(wait));
  EXPECT_FALSE(waiting.wake(wait));
}

TEST(fiber_wake_test, who_comes_late_does_not_end_the_next_wait) {
  fiber waiting;
  const std::uint32_t first = waiting.arm();
  waiting.wake(first);

  const std::uint32_t second = waiting.arm();

  EXPECT_FALSE(waiting.wake(first));
  EXPECT_TRUE(waiting.wake(second));
}

TEST(fiber_wake_test, a_wait_that_was_given_up_cannot_be_ended) {
  fiber waiting;
  const std::uint32_t given_up = waiting.arm();

  const std::uint32_t current = waiting.arm();

  EXPECT_NE(given_up, current);
  EXPECT_FALSE(waiting.wake(given_up));
  EXPECT_TRUE(waiting.wake(current));
}

TEST(fiber_wake_test, who_does_not_wait_cannot_be_woken) {
  fiber running;

  EXPECT_FALSE(running.wake(1));

  EXPECT_TRUE(running.wake(running.arm()));
}

}  // namespace
