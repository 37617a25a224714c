#include "hotplate/overflow_report.hpp"

#include <gtest/gtest.h>

#include "faults.hpp"
#include "hotplate/engine.hpp"
#include "overflow_death.hpp"

namespace {

using hotplate::context;
using hotplate::overflow_report;
using testing::KilledBySignal;

const char* const says_deep =
    "hotplate: function deep overflowed its stack of 65536 bytes; raise "
    "function_config::stack_bytes\n$";

class overflow_report_death_test : public overflow_death_test,
                                   public testing::WithParamInterface<int> {
 protected:
  // Overflows in function deep, or in what `body` does to get there.
  template <typename Body>
  static void run(const Body& body) {
    const overflow_report report;
    hotplate::engine engine({.workers = GetParam(), .overflows = &report});
    const auto deep = engine.deploy(
        "deep", [](context&, int depth) { return recurse(depth); },
        {.stack_bytes = 64 * 1024});
    body(engine, deep);
  }
  static void overflow() {
    run([](auto&, auto& deep) { (void)deep(without_end); });
  }
};

TEST_P(overflow_report_death_test, an_overflow_names_the_function) {
  EXPECT_EXIT(overflow(), KilledBySignal(SIGSEGV), says_deep);
}

TEST_P(overflow_report_death_test, also_of_a_nested_invocation) {
  EXPECT_EXIT(run([](auto& engine, auto& deep) {
                const auto caller = engine.deploy("caller", [&](context&) {
                  return deep(without_end).code();
                });
                (void)caller();
              }),
              KilledBySignal(SIGSEGV), says_deep);
}

TEST_P(overflow_report_death_test, also_of_a_caller_after_its_callee) {
  EXPECT_EXIT(run([](auto& engine, auto&) {
                const auto callee = engine.deploy("callee", [] {});
                const auto caller = engine.deploy("caller", [&](context&) {
                  (void)callee();
                  return recurse(without_end);
                });
                (void)caller();
              }),
              KilledBySignal(SIGSEGV),
              "function caller overflowed its stack of 262144 bytes");
}

TEST_P(overflow_report_death_test, also_of_a_handler_that_had_suspended) {
  EXPECT_EXIT(run([](auto& engine, auto&) {
                engine.deploy("other", [] {});
                const auto slow = engine.deploy("slow", [&](context& ctx) {
                  auto beside = engine.invoke_async("other");
                  ctx.sleep_for(std::chrono::milliseconds(5));
                  return recurse(without_end);
                });
                (void)slow();
              }),
              KilledBySignal(SIGSEGV), "function slow overflowed");
}

struct deep_start {
  deep_start() : depth(recurse(without_end)) {}
  int operator()() const { return depth; }
  int depth;
};

TEST_P(overflow_report_death_test, also_of_a_cold_start) {
  EXPECT_EXIT(run([](auto& engine, auto&) {
                engine.template deploy<deep_start>("starter");
                (void)engine.invoke("starter");
              }),
              KilledBySignal(SIGSEGV), "function starter overflowed");
}

struct deep_end {
  ~deep_end() { recurse(without_end); }
  void operator()() const {}
};

TEST_P(overflow_report_death_test, also_of_an_instance_s_end) {
  EXPECT_EXIT(run([](auto& engine, auto&) {
                engine.template deploy<deep_end>("ender", {.max_uses = 1});
                (void)engine.invoke("ender");
              }),
              KilledBySignal(SIGSEGV), "function ender overflowed");
}

TEST_P(overflow_report_death_test, a_continuation_is_called_one) {
  EXPECT_EXIT(run([](auto&, auto& deep) {
                (void)deep.async(0)
                    .then([](auto&&) { return recurse(without_end); })
                    .get();
              }),
              KilledBySignal(SIGSEGV),
              "hotplate: a continuation overflowed its stack of 262144 bytes");
}

TEST_P(overflow_report_death_test, then_calls_the_hosts_own_handler) {
  EXPECT_EXIT(
      {
        install(&hosts_own);
        overflow();
      },
      testing::ExitedWithCode(7), "function deep overflowed.*\nhost was here");
}

TEST_P(overflow_report_death_test, any_other_fault_is_only_passed_on) {
  EXPECT_EXIT(
      {
        install(&hosts_own);
        run([](auto& engine, auto&) {
          engine.deploy("wild",
                        [] { *static_cast<volatile int*>(nullptr) = 1; });
          (void)engine.invoke("wild");
        });
      },
      testing::ExitedWithCode(7), "^host was here\n$");
}

TEST_P(overflow_report_death_test, a_null_pointer_is_no_overflow) {
  EXPECT_EXIT(run([](auto& engine, auto&) {
                engine.deploy("wild",
                              [] { *static_cast<volatile int*>(nullptr) = 1; });
                (void)engine.invoke("wild");
              }),
              KilledBySignal(SIGSEGV), "^$");
}

TEST_P(overflow_report_death_test, a_wild_write_into_the_guard_is_no_overflow) {
  EXPECT_EXIT(run([](auto& engine, auto&) {
                engine.deploy("wild", [] {
                  volatile char here = 0;
                  const auto place = reinterpret_cast<std::uintptr_t>(&here) /
                                     (256 * 1024) * (256 * 1024);
                  volatile auto* low = reinterpret_cast<volatile char*>(place);
                  for (;;) *low-- = 1;  // Ends at the latest in the guard.
                });
                (void)engine.invoke("wild");
              }),
              KilledBySignal(SIGSEGV), "^$");
}

void ignore(int) { say("once\n"); }

TEST_P(overflow_report_death_test, a_handler_for_once_is_called_once) {
  EXPECT_EXIT(
      {
        install(&ignore, static_cast<int>(SA_RESETHAND));
        overflow();
      },
      KilledBySignal(SIGSEGV), "deep overflowed[^\n]*\nonce\n$");
}

TEST_P(overflow_report_death_test, a_signal_that_was_sent_ends_the_process) {
  EXPECT_EXIT(
      {
        const overflow_report report;
        raise(SIGSEGV);
        _exit(0);
      },
      KilledBySignal(SIGSEGV), "^$");
}

TEST_P(overflow_report_death_test, nothing_is_said_after_its_end) {
  EXPECT_EXIT(
      {
        { const overflow_report report; }
        hotplate::engine engine({.workers = GetParam()});
        const auto deep = engine.deploy("deep", &recurse);
        (void)deep(without_end);
      },
      KilledBySignal(SIGSEGV), "^$");
}

INSTANTIATE_TEST_SUITE_P(workers, overflow_report_death_test,
                         testing::Values(0, 1, 2));

TEST(overflow_report_in_two_engines_death_test, the_outer_one_is_found) {
#if defined(HOTPLATE_ASAN) || defined(HOTPLATE_TSAN)
  GTEST_SKIP() << "the sanitizer's runtime takes SIGSEGV for itself";
#endif
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const overflow_report report;
        hotplate::engine outer({.workers = 1, .overflows = &report});
        hotplate::engine inner({.workers = 0, .overflows = &report});
        const auto leaf = inner.deploy("leaf", [] { return 1; });
        const auto host = outer.deploy("host", [&](context&) {
          return leaf().value() + recurse(without_end);
        });
        (void)host();
      },
      KilledBySignal(SIGSEGV), "function host overflowed");
}

}  // namespace
