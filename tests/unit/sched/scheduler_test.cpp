#include "hotplate/sched/scheduler.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace {

using hotplate::detail::clock_source;
using hotplate::detail::fiber;
using hotplate::detail::scheduler;
using hotplate::detail::stack_pool;
using hotplate::detail::task;
using hotplate::detail::timer;
using hotplate::detail::timer_order;
using hotplate::detail::worker;

// Calls a function on whichever worker takes it.
struct job : task {
  explicit job(std::function<void(worker&)> its_body)
      : body(std::move(its_body)) {
    run = [](task& self, worker& on) -> fiber* {
      static_cast<job&>(self).body(on);
      return nullptr;
    };
    refuse = [](task&, worker&) noexcept { FAIL() << "refused"; };
    stack_class = stack_pool::class_of(64 * 1024);
  }
  std::function<void(worker&)> body;
};

bool nothing_runs(void* /*target*/, std::int64_t /*now*/) { return false; }

std::string name_of_this_thread() {
  std::string name;
  std::getline(std::ifstream("/proc/thread-self/comm"), name);
  return name;
}

class scheduler_test : public testing::TestWithParam<std::size_t> {
 protected:
  static constexpr std::int64_t spin = 20'000;

  scheduler_test() { threads_.start(&nothing_runs, nullptr); }

  void submit_all(std::vector<job>& jobs) {
    for (job& each : jobs) ASSERT_TRUE(threads_.submit(each));
  }

  clock_source time_{nullptr};
  scheduler threads_{time_, {GetParam(), spin}};
};

TEST_P(scheduler_test, every_submitted_task_runs_once) {
  constexpr int count = 10'000;
  std::atomic<int> runs = 0;
  std::latch all(count);
  std::vector<job> jobs(count, job([&](worker&) {
                          ++runs;
                          all.count_down();
                        }));

  submit_all(jobs);
  all.wait();
  threads_.stop();

  EXPECT_EQ(runs, count);
}

TEST_P(scheduler_test, tasks_submitted_by_several_threads_all_run) {
  constexpr int count = 2'000;
  std::atomic<int> runs = 0;
  std::latch all(2 * count);
  const job counting([&](worker&) {
    ++runs;
    all.count_down();
  });
  std::vector<job> ours(count, counting), theirs(count, counting);

  std::thread other([&] { submit_all(theirs); });
  submit_all(ours);
  other.join();
  all.wait();
  threads_.stop();

  EXPECT_EQ(runs, 2 * count);
}

TEST_P(scheduler_test, tasks_pushed_by_a_task_all_run) {
  constexpr int count = 1'000;
  std::atomic<int> runs = 0;
  std::latch all(count);
  std::vector<job> children(count, job([&](worker&) {
                              ++runs;
                              all.count_down();
                            }));
  job parent([&](worker& on) {
    for (job& each : children) EXPECT_TRUE(on.push(each));
  });

  threads_.submit(parent);
  all.wait();
  threads_.stop();

  EXPECT_EQ(runs, count);
}

TEST_P(scheduler_test, a_workers_thread_is_named_by_its_number) {
  constexpr int count = 200;
  std::atomic<int> rightly_named = 0;
  std::latch all(count);
  std::vector<job> jobs(count, job([&](worker& on) {
                          const auto name =
                              "hotplate/" + std::to_string(on.index());
                          rightly_named += name_of_this_thread() == name;
                          all.count_down();
                        }));

  submit_all(jobs);
  all.wait();

  EXPECT_EQ(rightly_named, count);
}

TEST_P(scheduler_test, a_task_finds_its_worker_and_a_host_thread_none) {
  std::latch done(1);
  worker* given = nullptr;
  worker* found = nullptr;
  job look([&](worker& on) {
    given = &on;
    found = threads_.here();
    done.count_down();
  });

  threads_.submit(look);
  done.wait();

  EXPECT_EQ(found, given);
  EXPECT_EQ(threads_.here(), nullptr);
}

TEST_P(scheduler_test, a_suspended_task_goes_on_where_it_was_resumed) {
  std::latch suspended(1), done(1);
  worker* home = nullptr;
  fiber* waiting = nullptr;
  bool same_worker = false;
  job sleeper([&](worker& on) {
    home = &on;
    waiting = &on.current();
    on.suspend(
        {[](void* left) { static_cast<std::latch*>(left)->count_down(); },
         &suspended});
    same_worker = threads_.here() == &on;
    done.count_down();
  });

  threads_.submit(sleeper);
  suspended.wait();
  home->post(*waiting);
  done.wait();

  EXPECT_TRUE(same_worker);
}

TEST_P(scheduler_test, the_watchdog_fires_a_timer_and_not_before_it_is_due) {
  struct moment {
    std::latch fired{1};
    std::int64_t at = 0;
  } moment;
  timer alarm;
  alarm.target = &moment;
  alarm.fire = [](void* to, std::uint64_t, std::int64_t now) noexcept {
    static_cast<struct moment*>(to)->at = now;
    static_cast<struct moment*>(to)->fired.count_down();
  };
  const std::int64_t due = time_.now() + 3'000'000;

  threads_.arm(alarm, due, timer_order::completion);
  moment.fired.wait();

  EXPECT_GE(moment.at, due);
}

TEST_P(scheduler_test, once_stopped_runs_nothing_more) {
  bool ran = false;
  job late([&](worker&) { ran = true; });

  threads_.stop();
  threads_.submit(late);
  threads_.stop();

  EXPECT_FALSE(ran);
}

INSTANTIATE_TEST_SUITE_P(workers, scheduler_test, testing::Values(1, 2, 4));

}  // namespace
