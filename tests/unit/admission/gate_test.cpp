#include "hotplate/admission/gate.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <utility>

namespace {

using hotplate::detail::gate;
using hotplate::detail::ticket;

TEST(gate_test, admits_as_many_as_its_limit) {
  gate door(2);

  EXPECT_TRUE(door.try_enter());
  EXPECT_TRUE(door.try_enter());
  EXPECT_FALSE(door.try_enter());
  EXPECT_EQ(door.inside(), 2);
}

TEST(gate_test, one_of_limit_0_admits_nobody) {
  gate door(0);

  EXPECT_FALSE(door.try_enter());
  EXPECT_EQ(door.peak(), 0);
}

TEST(gate_test, who_leaves_makes_room) {
  gate door(1);
  door.try_enter();

  door.leave();

  EXPECT_EQ(door.inside(), 0);
  EXPECT_TRUE(door.try_enter());
}

TEST(gate_test, remembers_the_most_there_ever_were) {
  gate door(10);
  for (int i = 0; i < 3; ++i) door.try_enter();
  for (int i = 0; i < 3; ++i) door.leave();

  door.try_enter();

  EXPECT_EQ(door.peak(), 3);
}

TEST(gate_test, who_is_refused_counts_nowhere) {
  gate door(1);
  door.try_enter();

  door.try_enter();

  EXPECT_EQ(door.inside(), 1);
  EXPECT_EQ(door.peak(), 1);
}

TEST(gate_test, a_lower_limit_sends_nobody_out) {
  gate door(3);
  for (int i = 0; i < 3; ++i) door.try_enter();

  door.set_limit(1);

  EXPECT_EQ(door.limit(), 1);
  EXPECT_EQ(door.inside(), 3);
}

TEST(gate_test, a_lower_limit_refuses_until_enough_have_left) {
  gate door(3);
  for (int i = 0; i < 3; ++i) door.try_enter();
  door.set_limit(1);

  door.leave();
  door.leave();
  const bool with_one_inside = door.try_enter();
  door.leave();

  EXPECT_FALSE(with_one_inside);
  EXPECT_TRUE(door.try_enter());
}

TEST(gate_test, a_higher_limit_admits_at_once) {
  gate door(1);
  door.try_enter();

  door.set_limit(2);

  EXPECT_TRUE(door.try_enter());
}

TEST(gate_test, can_be_lowered_to_those_who_are_inside) {
  gate door(3);
  door.try_enter();

  const bool lowered = door.try_lower(1);

  EXPECT_TRUE(lowered);
  EXPECT_EQ(door.limit(), 1);
}

TEST(gate_test, remembers_the_most_over_changes_of_its_limit) {
  gate door(5);
  for (int i = 0; i < 4; ++i) door.try_enter();
  for (int i = 0; i < 4; ++i) door.leave();

  for (int i = 0; i < 3; ++i) {
    door.set_limit(2);
    door.try_enter();
    door.leave();
    door.set_limit(5);
  }

  EXPECT_EQ(door.peak(), 4);
  EXPECT_EQ(door.inside(), 0);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(door.try_enter());
  EXPECT_EQ(door.peak(), 5);
  EXPECT_FALSE(door.try_enter());
}

TEST(gate_test, keeps_its_limit_if_more_are_inside_than_it_is_lowered_to) {
  gate door(3);
  door.try_enter();
  door.try_enter();

  const bool lowered = door.try_lower(1);

  EXPECT_FALSE(lowered);
  EXPECT_EQ(door.limit(), 3);
}

class ticket_test : public testing::Test {
 protected:
  gate engine_{2};
  gate function_{1};
  gate tenant_{1};
};

TEST_F(ticket_test, takes_one_place_in_each_gate) {
  ticket admitted;

  const gate* const full = admitted.enter(engine_, function_);

  EXPECT_EQ(full, nullptr);
  EXPECT_EQ(engine_.inside(), 1);
  EXPECT_EQ(function_.inside(), 1);
}

TEST_F(ticket_test, gives_both_places_back_when_destroyed) {
  {
    ticket admitted;
    admitted.enter(engine_, function_);
  }

  EXPECT_EQ(engine_.inside(), 0);
  EXPECT_EQ(function_.inside(), 0);
}

TEST_F(ticket_test, gives_back_once) {
  ticket other;
  other.enter(engine_, engine_);  // Takes both of the engine's places.
  other.give_back();

  other.give_back();

  EXPECT_EQ(engine_.inside(), 0);
}

TEST_F(ticket_test, can_enter_again_after_it_was_given_back) {
  ticket admitted;
  admitted.enter(engine_, function_);
  admitted.give_back();

  const gate* const full = admitted.enter(engine_, function_);

  EXPECT_EQ(full, nullptr);
  EXPECT_EQ(function_.inside(), 1);
}

TEST_F(ticket_test, is_refused_with_the_functions_gate_if_that_is_full) {
  ticket first, second;
  first.enter(engine_, function_);

  const gate* const full = second.enter(engine_, function_);

  EXPECT_EQ(full, &function_);
  EXPECT_EQ(engine_.inside(), 1) << "nothing was taken from the engine";
}

TEST_F(ticket_test, is_refused_with_the_engines_gate_if_that_is_full) {
  gate full_engine(0);
  ticket refused;

  const gate* const full = refused.enter(full_engine, function_);

  EXPECT_EQ(full, &full_engine);
  EXPECT_EQ(function_.inside(), 0) << "the function's place was kept";
}

TEST_F(ticket_test, is_refused_with_the_tenants_gate_if_that_is_full) {
  tenant_.try_enter();
  ticket refused;

  const gate* const full = refused.enter_with(tenant_, engine_, function_);

  EXPECT_EQ(full, &tenant_);
  EXPECT_EQ(engine_.inside() + function_.inside(), 0);
}

TEST_F(ticket_test, refused_by_another_gate_keeps_no_place_of_the_tenant) {
  function_.try_enter();
  ticket refused;

  const gate* const full = refused.enter_with(tenant_, engine_, function_);

  EXPECT_EQ(full, &function_);
  EXPECT_EQ(tenant_.inside(), 0);
}

TEST_F(ticket_test, gives_the_tenants_place_back_as_well) {
  ticket admitted;
  admitted.enter_with(tenant_, engine_, function_);
  const std::int64_t while_admitted = tenant_.inside();

  admitted.give_back();

  EXPECT_EQ(while_admitted, 1);
  EXPECT_EQ(tenant_.inside() + function_.inside() + engine_.inside(), 0);
}

TEST_F(ticket_test, once_refused_gives_nothing_back) {
  ticket admitted;
  admitted.enter(engine_, function_);
  {
    ticket refused;
    refused.enter(engine_, function_);
  }

  EXPECT_EQ(engine_.inside(), 1);
  EXPECT_EQ(function_.inside(), 1);
}

TEST_F(ticket_test, moving_one_moves_its_places) {
  ticket first;
  first.enter(engine_, function_);

  std::optional<ticket> second(std::move(first));
  first.give_back();  // NOLINT(bugprone-use-after-move): holds nothing
  const std::int64_t after_first = function_.inside();
  second.reset();

  EXPECT_EQ(after_first, 1);
  EXPECT_EQ(function_.inside(), 0);
}

}  // namespace
