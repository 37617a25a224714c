#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <functional>
#include <thread>

#include "hotplate/arena/stack_pool.hpp"
#include "hotplate/engine.hpp"

// The kernel's refusals, by filters on one thread's system calls: what that
// thread asks for fails, what others ask for works.

namespace {

using hotplate::detail::stack_memory;
using hotplate::detail::stack_pool;

constexpr std::uint32_t guard_bytes = 64 * 1024;
constexpr std::uint32_t install_guard = 102;

#define LOAD(field) \
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, field))
#define SKIP_UNLESS(value, steps) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (steps))
#define ANSWER(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

// madvise(guard) fails with `advice_error`, mprotect(guard) with ENOMEM if it
// is to fail, each for the calling thread; false if filters are not allowed.
bool refuse_guards(std::uint32_t advice_error, bool also_mprotect) {
  const auto protect = static_cast<std::uint32_t>(
      also_mprotect ? SYS_mprotect : ~std::uint32_t{0});
  sock_filter steps[] = {
      LOAD(nr),
      SKIP_UNLESS(static_cast<std::uint32_t>(SYS_madvise), 3),
      LOAD(args[2]),
      SKIP_UNLESS(install_guard, 7),
      ANSWER(advice_error),
      SKIP_UNLESS(protect, 5),
      LOAD(args[2]),
      SKIP_UNLESS(std::uint32_t{PROT_NONE}, 3),
      LOAD(args[1]),
      SKIP_UNLESS(guard_bytes, 1),
      ANSWER(ENOMEM),
      ALLOW,
  };
  const sock_fprog program = {static_cast<unsigned short>(std::size(steps)),
                              steps};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// False, and nothing done, where a thread may not be filtered.
bool on_thread_without_guards(std::uint32_t advice_error, bool also_mprotect,
                              const std::function<void()>& act) {
  bool done = false;
  std::thread([&] {
    done = refuse_guards(advice_error, also_mprotect);
    if (done) act();
  }).join();
  return done;
}

bool readable(const void* place) {
  int ends[2];
  if (pipe(ends) != 0) return false;
  const bool is = write(ends[1], place, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return is;
}

class guard_refusal_test : public testing::Test {
 protected:
  static constexpr std::size_t size = 64 * 1024;

  stack_memory make() { return pool_.make(stack_pool::class_of(size)); }

  stack_pool pool_;
};

#define SKIP_IF_NOT_FILTERED(done) \
  if (!(done)) GTEST_SKIP() << "this process may not filter system calls"

TEST_F(guard_refusal_test, without_the_advice_mprotect_makes_the_guard) {
  stack_memory made;
  SKIP_IF_NOT_FILTERED(
      on_thread_without_guards(EINVAL, false, [&] { made = make(); }));

  EXPECT_NE(made.size, 0U);
  EXPECT_TRUE(readable(made.bottom));
  EXPECT_FALSE(readable(made.bottom - 1));
  EXPECT_FALSE(readable(made.bottom - guard_bytes));
  EXPECT_NE(make().size, 0U);
  EXPECT_EQ(pool_.made(), 2U);
}

TEST_F(guard_refusal_test, a_stack_without_a_guard_is_none) {
  stack_memory made;
  SKIP_IF_NOT_FILTERED(
      on_thread_without_guards(EINVAL, true, [&] { made = make(); }));

  EXPECT_EQ(made.size, 0U);
  EXPECT_EQ(pool_.made(), 0U);
}

TEST_F(guard_refusal_test, a_refused_slot_is_the_next_ones) {
  const stack_memory first = make();
  SKIP_IF_NOT_FILTERED(on_thread_without_guards(ENOMEM, true, [&] {
    for (int i = 0; i < 5000; ++i) EXPECT_EQ(make().size, 0U);
  }));

  const stack_memory second = make();

  EXPECT_EQ(second.bottom - first.bottom,
            static_cast<std::ptrdiff_t>(first.size + guard_bytes));
  EXPECT_EQ(pool_.made(), 2U);
}

TEST_F(guard_refusal_test, memory_out_for_the_advice_is_no_lack_of_it) {
  SKIP_IF_NOT_FILTERED(on_thread_without_guards(
      ENOMEM, false, [&] { EXPECT_EQ(make().size, 0U); }));

  EXPECT_NE(make().size, 0U);
}

TEST_F(guard_refusal_test, an_engine_refuses_and_goes_on) {
  hotplate::engine engine({.workers = 0});
  const auto early = engine.deploy("early", [] {}, {.stack_bytes = size});
  const auto late = engine.deploy("late", [] {}, {.stack_bytes = 4 * size});
  ASSERT_TRUE(early());

  SKIP_IF_NOT_FILTERED(on_thread_without_guards(EINVAL, true, [&] {
    for (int i = 0; i < 2000; ++i) {
      ASSERT_EQ(late().code(), hotplate::errc::resource_exhausted);
    }
    EXPECT_TRUE(early());
  }));

  EXPECT_TRUE(late());
  EXPECT_EQ(engine.stats().in_flight, 0);
  EXPECT_EQ(engine.stats().stacks, 2U);
}

TEST_F(guard_refusal_test, a_measured_function_counts_no_refused_stack) {
  hotplate::engine engine({.workers = 0});
  const auto measured =
      engine.deploy("measured", [] {}, {.measure_stack = true});
  SKIP_IF_NOT_FILTERED(on_thread_without_guards(EINVAL, true, [&] {
    EXPECT_EQ(measured().code(), hotplate::errc::resource_exhausted);
  }));
  EXPECT_EQ(engine.functions().front().stack_peak_bytes, 0U);

  EXPECT_TRUE(measured());
  EXPECT_NE(engine.functions().front().stack_peak_bytes, 0U);
}

}  // namespace
