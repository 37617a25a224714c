#include "hotplate/base/asymmetric_fence.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdint>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/base/futex.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::asymmetric_fence;
using hotplate::detail::monotonic_now;
using hotplate::detail::relax;

// One thread writes its turn and looks at the other's, again and again, as the
// other does: whose turn the other did not see must have seen the other's.
class asymmetric_fence_stress_test : public testing::TestWithParam<bool> {
 protected:
  void pass_often() {
    for (std::uint32_t turn = 1; !done_; ++turn) {
      often_.store(turn, std::memory_order_release);
      fence_.light();
      const std::uint64_t seen = seldom_.load(std::memory_order_relaxed);
      what_it_saw_[turn % kept].store(std::uint64_t{turn} << 32 | seen,
                                      std::memory_order_relaxed);
    }
  }

  void pass_seldom() {
    const std::int64_t end = monotonic_now() + longest;
    const auto lasts = [&] {
      const std::int64_t now = monotonic_now();
      return now < end || (judged_ == 0 && now < end + 10 * longest);
    };
    for (std::uint32_t turn = 1; turn <= turns && lasts(); ++turn) {
      seldom_.store(turn, std::memory_order_relaxed);
      fence_.heavy();
      const std::uint32_t seen = often_.load(std::memory_order_relaxed);
      const std::uint32_t next = seen + 1;
      // acquire: what the next turn saw is written by then.
      while (often_.load(std::memory_order_acquire) <= next) relax();
      const std::uint64_t noted =
          what_it_saw_[next % kept].load(std::memory_order_relaxed);
      if (noted >> 32 != next) continue;  // Overwritten: it was far ahead.
      ++judged_;
      if (static_cast<std::uint32_t>(noted) < turn) ++missed_;
    }
    done_ = true;
  }

  static constexpr std::uint32_t turns = 10'000;
  static constexpr std::int64_t longest = 500'000'000;  // With few processors.
  static constexpr std::uint32_t kept = 1U << 16;

  asymmetric_fence fence_;
  int judged_ = 0;
  int missed_ = 0;

 private:
  alignas(64) std::atomic<std::uint32_t> often_ = 0;
  alignas(64) std::atomic<std::uint32_t> seldom_ = 0;
  std::atomic<bool> done_ = false;
  std::array<std::atomic<std::uint64_t>, kept> what_it_saw_{};
};

TEST_P(asymmetric_fence_stress_test, one_of_the_two_sees_the_other) {
  if (GetParam()) fence_.arm();

  together(2, [&](std::size_t thread) {
    thread == 0 ? pass_often() : pass_seldom();
  });

  EXPECT_EQ(missed_, 0);
  if (judged_ == 0) GTEST_SKIP() << "the two never ran at the same time";
}

INSTANTIATE_TEST_SUITE_P(armed, asymmetric_fence_stress_test,
                         testing::Values(true, false));

}  // namespace
