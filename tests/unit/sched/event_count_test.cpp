#include "hotplate/sched/event_count.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "hotplate/base/clock_source.hpp"

namespace {

using hotplate::detail::bed;
using hotplate::detail::event_count;
using hotplate::detail::forever;
using hotplate::detail::monotonic_now;

class event_count_test : public testing::Test {
 protected:
  std::size_t asleep() const {
    std::size_t count = 0;
    for (const bed& each : beds_) count += each.asleep;
    return count;
  }

  void notify_any() { events_.notify(beds_.data(), beds_.size()); }

  event_count events_;
  std::array<bed, 3> beds_;
};

TEST_F(event_count_test, a_notification_gets_one_sleeper_up) {
  for (bed& each : beds_) events_.lie_down(each);

  notify_any();

  EXPECT_EQ(asleep(), 2U);
}

TEST_F(event_count_test, each_further_notification_gets_another_one_up) {
  for (bed& each : beds_) events_.lie_down(each);

  for (int i = 0; i < 4; ++i) notify_any();

  EXPECT_EQ(asleep(), 0U);
}

TEST_F(event_count_test, nobody_is_woken_while_one_searches) {
  events_.lie_down(beds_[0]);
  events_.start_searching();

  notify_any();
  const std::size_t meanwhile = asleep();
  events_.stop_searching();
  notify_any();

  EXPECT_EQ(meanwhile, 1U);
  EXPECT_EQ(asleep(), 0U);
}

TEST_F(event_count_test, work_for_one_worker_wakes_it_alone) {
  for (bed& each : beds_) events_.lie_down(each);

  events_.notify(beds_[1]);

  EXPECT_EQ(asleep(), 2U);
  EXPECT_EQ(beds_[1].asleep, 0U);
}

TEST_F(event_count_test, work_for_one_worker_wakes_it_although_one_searches) {
  events_.lie_down(beds_[1]);
  events_.start_searching();

  events_.notify(beds_[1]);

  EXPECT_EQ(asleep(), 0U);
}

TEST_F(event_count_test, who_got_up_by_itself_is_not_counted_twice) {
  events_.lie_down(beds_[0]);
  events_.lie_down(beds_[1]);
  events_.get_up(beds_[0]);
  events_.get_up(beds_[0]);

  notify_any();

  EXPECT_EQ(asleep(), 0U) << "it took the other one for awake";
}

TEST_F(event_count_test, who_was_notified_after_lying_down_does_not_sleep) {
  events_.lie_down(beds_[0]);
  notify_any();

  events_.sleep(beds_[0], forever);
  events_.get_up(beds_[0]);

  SUCCEED() << "else this would not have been reached";
}

TEST_F(event_count_test, a_sleeper_is_woken_by_a_notification) {
  std::thread sleeper([&] {
    events_.lie_down(beds_[0]);
    while (beds_[0].asleep == 1) events_.sleep(beds_[0], forever);
    events_.get_up(beds_[0]);
  });
  while (asleep() == 0) std::this_thread::yield();

  notify_any();
  sleeper.join();

  EXPECT_EQ(asleep(), 0U);
}

TEST_F(event_count_test, a_sleep_ends_at_its_deadline) {
  events_.lie_down(beds_[0]);
  const std::int64_t deadline = monotonic_now() + 2'000'000;

  while (monotonic_now() < deadline) events_.sleep(beds_[0], deadline);
  events_.get_up(beds_[0]);

  EXPECT_EQ(asleep(), 0U);
}

}  // namespace
