#include <gtest/gtest.h>

#include "hotplate/admission/gate.hpp"

namespace {

using hotplate::detail::gate;

/// A gate whose workers have accounts.
class accounts_test : public testing::Test {
 protected:
  struct seat {
    std::size_t index;
    std::size_t worker() const { return index; }
    static std::size_t workers() { return 2; }
  };

  void open(std::int64_t limit) {
    door_.set_limit(limit);
    door_.open_accounts(2);
  }
  int enter(std::size_t worker, int times) {
    int entered = 0;
    for (int i = 0; i < times; ++i) entered += door_.try_enter(seat{worker});
    return entered;
  }
  void leave(std::size_t worker, int times) {
    for (int i = 0; i < times; ++i) door_.leave(worker);
  }

  gate door_{0};
};

TEST_F(accounts_test, admit_as_many_as_the_limit) {
  open(100);

  EXPECT_EQ(enter(0, 60) + enter(1, 60), 100);
  EXPECT_EQ(door_.inside(), 100);
}

TEST_F(accounts_test, refuse_nobody_while_another_one_holds_credits) {
  open(20);
  ASSERT_EQ(enter(0, 1), 1);
  leave(0, 1);

  EXPECT_EQ(enter(1, 20), 20);
  leave(1, 20);
  int without_account = 0;
  while (door_.try_enter()) ++without_account;
  EXPECT_EQ(without_account, 20);
}

TEST_F(accounts_test, say_how_many_are_inside_and_were_at_most) {
  open(1'000);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(enter(0, 1), 1);
    ASSERT_EQ(door_.inside(), 1);
    leave(0, 1);
    ASSERT_EQ(door_.inside(), 0);
  }
  EXPECT_EQ(door_.peak(), 1);

  enter(0, 40);
  enter(1, 2);

  EXPECT_EQ(door_.inside(), 42);
  EXPECT_EQ(door_.peak(), 42);
}

TEST_F(accounts_test, let_out_whom_another_has_let_in) {
  open(50);
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(enter(0, 1), 1);
    leave(1, 1);
  }
  EXPECT_EQ(door_.inside(), 0);
  EXPECT_EQ(enter(0, 60), 50);
}

TEST_F(accounts_test, keep_to_a_limit_that_was_lowered) {
  open(50);
  enter(0, 3);
  enter(1, 3);

  door_.set_limit(4);

  EXPECT_EQ(enter(0, 1), 0);
  leave(0, 2);
  EXPECT_EQ(enter(0, 1) + enter(1, 1), 0) << "four are inside";
  leave(1, 1);
  EXPECT_EQ(enter(1, 2), 1);
  EXPECT_EQ(door_.inside(), 4);
}

TEST_F(accounts_test, do_not_keep_the_limit_from_being_lowered) {
  open(50);
  enter(0, 3);
  enter(1, 3);

  EXPECT_FALSE(door_.try_lower(5));
  EXPECT_EQ(door_.limit(), 50);
  EXPECT_TRUE(door_.try_lower(6));
  EXPECT_EQ(enter(0, 1) + enter(1, 1), 0);
  door_.set_limit(7);
  EXPECT_EQ(enter(0, 1) + enter(1, 1), 1);
}

}  // namespace
