#include "hotplate/overflow_report.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "faults.hpp"
#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::overflow_report;

TEST(overflow_report_test, the_previous_handler_is_back_afterwards) {
  const struct sigaction before = action_now();
  install(&hosts_own);

  {
    const overflow_report first;
    const overflow_report second;
    EXPECT_NE(action_now().sa_handler, &hosts_own);
  }

  EXPECT_EQ(action_now().sa_handler, &hosts_own);
  EXPECT_EQ(action_now().sa_flags & SA_SIGINFO, 0);
  sigaction(SIGSEGV, &before, nullptr);
}

TEST(overflow_report_test, several_count) {
  const struct sigaction before = action_now();
  auto first = std::make_unique<overflow_report>();
  auto second = std::make_unique<overflow_report>();

  first.reset();
  EXPECT_NE(action_now().sa_sigaction, before.sa_sigaction);
  second.reset();
  EXPECT_EQ(action_now().sa_sigaction, before.sa_sigaction);
}

TEST(overflow_report_test, a_handler_installed_since_stays) {
  const struct sigaction before = action_now();
  {
    const overflow_report report;
    install(&hosts_own);
  }

  EXPECT_EQ(action_now().sa_handler, &hosts_own);
  sigaction(SIGSEGV, &before, nullptr);
}

TEST(overflow_report_test, an_engine_works_as_without_it) {
  const overflow_report report;
  for (const int workers : {0, 2}) {
    hotplate::engine engine({.workers = workers, .overflows = &report});
    const auto inner = engine.deploy("inner", [](int n) { return n + 1; });
    const auto outer = engine.deploy(
        "outer", [&](context&, int n) { return inner(n).value(); });

    EXPECT_EQ(outer(1).value(), 2);
    EXPECT_EQ(outer(2).value(), 3);
  }
}

TEST(overflow_report_test, a_pumping_thread_keeps_its_alternate_stack) {
  const overflow_report report;
  hotplate::engine engine({.workers = 0, .overflows = &report});
  const auto where = engine.deploy("where", [] {
    stack_t present = {};
    sigaltstack(nullptr, &present);
    return present.ss_flags == SS_DISABLE
               ? std::uintptr_t{0}
               : reinterpret_cast<std::uintptr_t>(present.ss_sp);
  });
  stack_t before = {};
  sigaltstack(nullptr, &before);

  std::uintptr_t without = 0;
  std::thread([&] { without = where().value(); }).join();
  std::vector<std::byte> own(64 * 1024);
  std::uintptr_t with = 0;
  std::thread([&] {
    stack_t mine = {};
    mine.ss_sp = own.data();
    mine.ss_size = own.size();
    sigaltstack(&mine, nullptr);
    with = where().value();
    mine.ss_flags = SS_DISABLE;
    sigaltstack(&mine, nullptr);
  }).join();

  stack_t after = {};
  sigaltstack(nullptr, &after);
  EXPECT_NE(without, 0U);
  EXPECT_EQ(with, reinterpret_cast<std::uintptr_t>(own.data()));
  EXPECT_EQ(after.ss_sp, before.ss_sp);
}

}  // namespace
