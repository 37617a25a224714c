#include <gtest/gtest.h>

#include <atomic>

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
