#include "hotplate/base/asymmetric_fence.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstddef>
#include <thread>

namespace {

using hotplate::detail::asymmetric_fence;

// Refuses membarrier() to the calling thread; false if filters are not allowed.
bool refuse_barriers() {
  sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program = {static_cast<unsigned short>(std::size(steps)),
                              steps};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// False, and nothing done, where a thread may not be filtered.
template <typename Act>
bool on_thread_without_barriers(const Act& act) {
  bool done = false;
  std::thread([&] {
    done = refuse_barriers();
    if (done) act();
  }).join();
  return done;
}

#define SKIP_IF_NOT_FILTERED(done) \
  if (!(done)) GTEST_SKIP() << "this process may not filter system calls"

std::int64_t monotonic_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
}

TEST(asymmetric_fence_test, the_kernel_arms_it) {
  asymmetric_fence fence;
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0) < 0)
    GTEST_SKIP() << "this kernel has no barriers";
#if defined(HOTPLATE_TSAN)
  GTEST_SKIP() << "never under ThreadSanitizer";
#endif

  fence.arm();

  EXPECT_TRUE(fence.armed());
}

TEST(asymmetric_fence_test, it_is_not_armed_where_the_kernel_refuses) {
  asymmetric_fence fence;

  SKIP_IF_NOT_FILTERED(on_thread_without_barriers([&] { fence.arm(); }));

  EXPECT_FALSE(fence.armed());
}

TEST(asymmetric_fence_test, its_heavy_half_waits_where_it_is_refused_later) {
  asymmetric_fence fence;
  fence.arm();
  if (!fence.armed()) GTEST_SKIP() << "both halves are fences";
  std::int64_t waited = 0;

  SKIP_IF_NOT_FILTERED(on_thread_without_barriers([&] {
    const std::int64_t before = monotonic_microseconds();
    fence.heavy();
    waited = monotonic_microseconds() - before;
  }));

  EXPECT_GE(waited, 1'000) << "longer than any processor keeps a store";
}

}  // namespace
