#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "hotplate/admission/gate.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::gate;
using hotplate::detail::ticket;

constexpr std::size_t gate_threads = 4;
constexpr int gate_turns = 200'000;

// What gates claim of themselves, counted beside them.
class witness {
 public:
  void came() {
    const int now = ++inside_;
    int most = most_;
    while (most < now && !most_.compare_exchange_weak(most, now)) {
    }
  }
  void left() { --inside_; }
  int most() const { return most_; }

 private:
  std::atomic<int> inside_ = 0;
  std::atomic<int> most_ = 0;
};

TEST(gate_stress_test, never_more_are_inside_than_the_limit) {
  gate door(2);
  witness seen;

  together(gate_threads, [&](std::size_t) {
    for (int i = 0; i < gate_turns; ++i) {
      if (!door.try_enter()) continue;
      seen.came();
      seen.left();
      door.leave();
    }
  });

  EXPECT_LE(seen.most(), 2);
  EXPECT_LE(door.peak(), 2);
  EXPECT_GE(door.peak(), seen.most());
  EXPECT_EQ(door.inside(), 0);
}

TEST(gate_stress_test, nobody_is_refused_while_there_is_room) {
  gate door(gate_threads);
  std::atomic<int> refused = 0;

  together(gate_threads, [&](std::size_t) {
    for (int i = 0; i < gate_turns; ++i) {
      if (door.try_enter()) {
        door.leave();
      } else {
        ++refused;
      }
    }
  });

  EXPECT_EQ(refused, 0);
}

TEST(gate_stress_test, tickets_keep_to_both_limits_and_all_come_back) {
  gate engine(3), often(2), seldom(2);
  witness in_engine, in_often;

  together(gate_threads, [&](std::size_t thread) {
    for (int i = 0; i < gate_turns; ++i) {
      ticket admitted;
      const bool to_often = thread % 2 == 0;
      if (admitted.enter(engine, to_often ? often : seldom)) continue;
      in_engine.came();
      if (to_often) in_often.came();
      if (to_often) in_often.left();
      in_engine.left();
    }
  });

  EXPECT_LE(in_engine.most(), 3);
  EXPECT_LE(in_often.most(), 2);
  EXPECT_EQ(engine.inside() + often.inside() + seldom.inside(), 0);
}

struct gate_seat {
  std::size_t index;
  std::size_t worker() const { return index; }
  static std::size_t workers() { return gate_threads - 1; }
};

// The last thread is no worker, and every other one lets out whom it let in
// later than others it lets in.
TEST(gate_stress_test, accounts_keep_to_the_limit_and_come_back) {
  constexpr int limit = 7;
  gate door(limit);
  door.open_accounts(gate_threads - 1);
  witness seen;

  together(gate_threads, [&](std::size_t thread) {
    const gate_seat self{thread};
    int inside = 0;
    for (int i = 0; i < gate_turns; ++i) {
      if (inside < 3 && door.try_enter(self)) {
        seen.came();
        ++inside;
      } else if (inside > 0) {
        seen.left();
        door.leave(thread);
        --inside;
      }
    }
    for (; inside > 0; --inside) {
      seen.left();
      door.leave(thread);
    }
  });

  EXPECT_LE(seen.most(), limit);
  EXPECT_LE(door.peak(), limit);
  EXPECT_EQ(door.inside(), 0);
}

TEST(gate_stress_test, accounts_refuse_nobody_while_there_is_room) {
  gate door(gate_threads);
  door.open_accounts(gate_threads - 1);
  std::atomic<int> refused = 0;

  together(gate_threads, [&](std::size_t thread) {
    for (int i = 0; i < gate_turns; ++i) {
      if (door.try_enter(gate_seat{thread})) {
        door.leave(thread);
      } else {
        ++refused;
      }
    }
  });

  EXPECT_EQ(refused, 0);
}

class lowered_gate_stress_test : public testing::TestWithParam<bool> {};

// Whoever was about to enter as the limit was lowered does not.
TEST_P(lowered_gate_stress_test, is_never_exceeded_once_it_was_lowered) {
  gate door(8);
  if (GetParam()) door.open_accounts(gate_threads - 1);
  std::atomic<int> inside = 0, lowered = 0, wrong = 0;
  std::atomic<bool> over = false;

  together(gate_threads + 1, [&](std::size_t thread) {
    if (thread == gate_threads) {
      const auto end =
          std::chrono::steady_clock::now() + std::chrono::seconds(1);
      while (std::chrono::steady_clock::now() < end) {
        if (!door.try_lower(3)) continue;
        ++lowered;
        for (int look = 0; look < 50; ++look) {
          if (inside > 3) ++wrong;
        }
        door.set_limit(8);
      }
      over = true;
    }
    int mine = 0;
    for (std::size_t i = thread; mine > 0 || !over; i = i * 5 + 1) {
      if (!over && i / 64 % 2 == 0 && mine < 3) {
        if (!door.try_enter(gate_seat{thread})) continue;
        ++mine;
        ++inside;
      } else if (mine > 0) {
        --mine;
        --inside;
        door.leave(thread);
      }
    }
  });

  EXPECT_GT(lowered, 0);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(door.inside(), 0);
  EXPECT_LE(door.peak(), 8);
}

INSTANTIATE_TEST_SUITE_P(accounts, lowered_gate_stress_test, testing::Bool());

TEST(gate_stress_test, accounts_open_where_workers_clash) {
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one at a time";
  gate door(1'000);
  // Until they run at the same time, on a machine with much else to do.
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);

  together(gate_threads - 1, [&](std::size_t thread) {
    while (!door.is_apart() && std::chrono::steady_clock::now() < until) {
      for (int i = 0; i < 1'000; ++i) {
        if (door.try_enter(gate_seat{thread})) door.leave(thread);
      }
    }
  });

  EXPECT_TRUE(door.is_apart());
  EXPECT_EQ(door.inside(), 0);
}

// One or two are inside at any moment, and each leaves when the next is in.
TEST(gate_stress_test, whoever_looks_into_accounts_sees_one_moment) {
  gate door(100);
  door.open_accounts(2);
  std::atomic<int> turn = 0;
  std::atomic<bool> over = false;
  ASSERT_TRUE(door.try_enter(gate_seat{0}));

  together(3, [&](std::size_t thread) {
    if (thread == 2) {
      while (!over) {
        const std::int64_t seen = door.inside();
        ASSERT_GE(seen, 1);
        ASSERT_LE(seen, 2);
      }
      return;
    }
    const int mine = static_cast<int>(thread);
    for (int i = 0; i < 2'000; ++i) {
      while (turn % 2 != mine) std::this_thread::yield();
      ASSERT_TRUE(door.try_enter(gate_seat{1 - thread}));
      door.leave(thread);
      ++turn;
    }
    over = true;
  });
}

TEST(gate_stress_test, what_was_written_inside_is_seen_by_the_next) {
  gate door(1);
  int turns_taken = 0;  // Not atomic: ThreadSanitizer checks the orders.
  std::atomic<int> entered = 0;

  together(gate_threads, [&](std::size_t) {
    for (int i = 0; i < gate_turns; ++i) {
      if (!door.try_enter()) continue;
      ++turns_taken;
      ++entered;
      door.leave();
    }
  });

  EXPECT_EQ(turns_taken, entered);
}

}  // namespace
