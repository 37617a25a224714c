#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

#include "faults.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/overflow_report.hpp"
#include "overflow_death.hpp"

// Overflows where handlers run on a thread's own stack.

namespace {

using hotplate::overflow_report;
using testing::KilledBySignal;

class overflow_of_threads_death_test : public overflow_death_test {
 protected:
  // In function deep, which runs on the stack of the thread that calls.
  template <typename Prepare>
  static void overflow_here(const Prepare& prepare) {
    const overflow_report report;
    hotplate::engine engine({.workers = 1, .overflows = &report});
    const auto deep = engine.deploy("deep", &recurse);
    prepare(engine);
    (void)engine.invoke_here(deep, without_end);
  }
  template <typename Prepare>
  static void overflow_on_a_thread(const Prepare& prepare) {
    std::thread([&] { overflow_here(prepare); }).join();
  }
};

const char* const says_its_thread =
    "^hotplate: function deep overflowed its thread's stack of [0-9]+ bytes\n$";

TEST_F(overflow_of_threads_death_test, a_blocking_function_is_named) {
  EXPECT_EXIT(
      {
        const overflow_report report;
        hotplate::engine engine({.workers = 1, .overflows = &report});
        const auto deep = engine.deploy("deep", &recurse, {.blocking = true});
        (void)deep(1);  // On the same thread.
        (void)deep(without_end);
      },
      KilledBySignal(SIGSEGV), says_its_thread);
}

TEST_F(overflow_of_threads_death_test, so_is_one_that_runs_in_invoke_here) {
  EXPECT_EXIT(overflow_on_a_thread([](auto&) {}), KilledBySignal(SIGSEGV),
              says_its_thread);
}

TEST_F(overflow_of_threads_death_test, also_on_the_main_thread) {
  EXPECT_EXIT(
      {
        rlimit small;
        small.rlim_cur = small.rlim_max = 1 << 20;
        setrlimit(RLIMIT_STACK, &small);
        overflow_here([](auto&) {});
      },
      KilledBySignal(SIGSEGV), says_its_thread);
}

TEST_F(overflow_of_threads_death_test, also_once_others_were_there) {
  EXPECT_EXIT(overflow_on_a_thread([](auto& engine) {
                const auto callee = engine.deploy("callee", [] {});
                const auto calls =
                    engine.deploy("calls", [&] { return callee().code(); });
                std::thread([&] { (void)engine.invoke_here(calls); }).join();
                (void)engine.invoke_here(calls);
              }),
              KilledBySignal(SIGSEGV), says_its_thread);
}

TEST_F(overflow_of_threads_death_test, of_two_handlers_the_inner_one_is_named) {
  EXPECT_EXIT(
      {
        const overflow_report report;
        hotplate::engine outer({.workers = 1, .overflows = &report});
        const auto calls =
            outer.deploy("calls", [&] { overflow_here([](auto&) {}); });
        std::thread([&] { (void)outer.invoke_here(calls); }).join();
      },
      KilledBySignal(SIGSEGV), says_its_thread);
}

TEST_F(overflow_of_threads_death_test, a_null_pointer_there_is_no_overflow) {
  EXPECT_EXIT(
      {
        const overflow_report report;
        hotplate::engine engine({.workers = 1, .overflows = &report});
        const auto wild = engine.deploy(
            "wild", [] { *static_cast<volatile int*>(nullptr) = 1; });
        (void)engine.invoke_here(wild);
      },
      KilledBySignal(SIGSEGV), "^$");
}

TEST_F(overflow_of_threads_death_test, nor_is_a_hosts_after_invoke_here) {
  EXPECT_EXIT(
      {
        const overflow_report report;
        hotplate::engine engine({.workers = 1, .overflows = &report});
        const auto deep = engine.deploy("deep", &recurse);
        std::thread([&] {
          (void)engine.invoke_here(deep, 1);
          recurse(without_end);
        }).join();
      },
      KilledBySignal(SIGSEGV), "^$");
}

}  // namespace
