#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory_resource>
#include <new>
#include <set>

#include "hotplate/arena.hpp"
#include "hotplate/arena/chunk_pool_hold.hpp"

// An arena as what std::pmr takes it for, with the engine's own chunks.

namespace {

constexpr std::size_t largest_size = std::numeric_limits<std::size_t>::max();

class memory_resource_test : public testing::Test {
 protected:
  static constexpr std::size_t mebibyte = std::size_t{1} << 20;
  static constexpr std::size_t limit = 128 * mebibyte;

  memory_resource_test() { open(limit); }
  ~memory_resource_test() override {
    memory_.release();
    hotplate::detail::unpoison(first_, sizeof first_);
  }

  void open(std::size_t most) {
    memory_.release();
    memory_.open(*source_, first_, sizeof first_, most);
  }

  // As its contract says: aligned, and the caller's from end to end.
  void expect_usable(void* start, std::size_t bytes, std::size_t alignment) {
    ASSERT_NE(start, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(start) % alignment, 0U)
        << alignment;
    std::memset(start, 0xa5, bytes);
  }

  hotplate::detail::chunk_pool_hold source_{0, false};
  alignas(64) std::byte first_[256];
  hotplate::arena memory_;
  std::pmr::memory_resource& resource_ = memory_;
};

TEST_F(memory_resource_test, keeps_alignments_far_beyond_the_largest_type) {
  for (std::size_t alignment = 1; alignment <= mebibyte; alignment *= 2) {
    for (const std::size_t bytes : {1U, 24U, 5000U}) {
      expect_usable(resource_.allocate(bytes, alignment), bytes, alignment);
    }
  }
  EXPECT_FALSE(memory_.refused());
}

TEST_F(memory_resource_test, an_alignment_up_to_the_limit_is_kept) {
  void* const start = resource_.allocate(100, 64 * mebibyte);

  expect_usable(start, 100, 64 * mebibyte);
  EXPECT_EQ(memory_.used(), 100U) << "what alignment skips is not its use";
}

TEST_F(memory_resource_test, an_alignment_beyond_the_limit_is_refused) {
  for (int shift = 28; shift < 64; ++shift) {
    open(limit);

    EXPECT_THROW(
        static_cast<void>(resource_.allocate(100, std::size_t{1} << shift)),
        std::bad_alloc);

    EXPECT_TRUE(memory_.exhausted()) << shift;
    EXPECT_EQ(memory_.used(), 0U);
  }
}

TEST_F(memory_resource_test, blocks_of_no_bytes_have_addresses_of_their_own) {
  std::set<void*> addresses;
  for (int i = 0; i < 1000; ++i) addresses.insert(resource_.allocate(0, 1));

  EXPECT_EQ(addresses.size(), 1000U);
  EXPECT_EQ(addresses.count(nullptr), 0U);
}

TEST_F(memory_resource_test, sizes_that_no_arithmetic_may_wrap_are_refused) {
  for (const std::size_t alignment : {1U, 16U, 4096U}) {
    for (std::size_t less = 0; less <= 8192; less += 7) {
      open(limit);
      memory_.allocate(3, 1);

      EXPECT_THROW(
          static_cast<void>(resource_.allocate(largest_size - less, alignment)),
          std::bad_alloc);

      EXPECT_TRUE(memory_.exhausted());
      EXPECT_EQ(memory_.used(), 3U);
    }
  }
}

TEST_F(memory_resource_test, after_a_refusal_what_fits_is_still_given) {
  EXPECT_THROW(static_cast<void>(resource_.allocate(limit + 1)),
               std::bad_alloc);

  expect_usable(resource_.allocate(limit / 2, 16), limit / 2, 16);
}

// In steps that end everywhere in chunks.
TEST_F(memory_resource_test, its_limit_is_met_to_the_byte) {
  constexpr std::size_t most = 3 * mebibyte + 17;
  for (const std::size_t step :
       {1U, 7U, 255U, 256U, 257U, 4064U, 65'536U, 1U << 20}) {
    open(most);
    std::size_t sum = 0;
    for (; sum + step <= most; sum += step) {
      static_cast<void>(resource_.allocate(step, 1));
    }
    if (sum < most) static_cast<void>(resource_.allocate(most - sum, 1));

    EXPECT_EQ(memory_.used(), most) << step;
    EXPECT_FALSE(memory_.refused()) << step;
    EXPECT_THROW(static_cast<void>(resource_.allocate(1, 1)), std::bad_alloc);
    EXPECT_TRUE(memory_.exhausted()) << step;
  }
}

TEST_F(memory_resource_test, one_byte_below_its_limit_one_byte_is_left) {
  open(mebibyte);
  static_cast<void>(resource_.allocate(mebibyte - 1, 1));

  EXPECT_THROW(static_cast<void>(resource_.allocate(2, 1)), std::bad_alloc);

  EXPECT_NE(resource_.allocate(1, 1), nullptr);
  EXPECT_EQ(memory_.used(), mebibyte);
}

}  // namespace
