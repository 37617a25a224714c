#include "hotplate/arena.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "counting_source.hpp"

namespace {

using hotplate::arena;

class arena_test : public testing::Test {
 protected:
  static constexpr std::size_t first_bytes = 256;
  static constexpr std::size_t limit = 1 << 20;

  arena_test() { memory_.open(source_, first_, first_bytes, limit); }
  ~arena_test() override { hotplate::detail::unpoison(first_, first_bytes); }

  bool in_first(const void* start) const {
    return start >= first_ && start < first_ + first_bytes;
  }

  counting_source source_;
  alignas(64) std::byte first_[first_bytes];
  arena memory_;
};

TEST_F(arena_test, starts_in_the_memory_that_it_was_opened_with) {
  void* const start = memory_.allocate(100);

  EXPECT_EQ(start, first_);
  EXPECT_EQ(memory_.used(), 100U);
  EXPECT_TRUE(source_.sizes.empty());
}

TEST_F(arena_test, neighbours_do_not_overlap) {
  auto* const one = static_cast<char*>(memory_.allocate(10, 1));
  auto* const two = static_cast<char*>(memory_.allocate(10, 1));

  std::memset(one, 'a', 10);
  std::memset(two, 'b', 10);

  EXPECT_EQ(std::string(one, 10), std::string(10, 'a'));
  EXPECT_EQ(two, one + 10) << "nothing is lost between them";
}

TEST_F(arena_test, every_alignment_is_kept_in_the_first_and_later_chunks) {
  for (std::size_t alignment = 1; alignment <= 4096; alignment *= 2) {
    memory_.allocate(1, 1);

    const auto start =
        reinterpret_cast<std::uintptr_t>(memory_.allocate(8, alignment));

    EXPECT_EQ(start % alignment, 0U) << alignment;
  }
}

TEST_F(arena_test, padding_counts_as_used) {
  memory_.allocate(1, 1);

  memory_.allocate(16, 16);

  EXPECT_EQ(memory_.used(), 32U);
}

TEST_F(arena_test, what_does_not_fit_goes_to_a_chunk_of_the_source) {
  memory_.allocate(200);

  void* const start = memory_.allocate(100);

  EXPECT_FALSE(in_first(start));
  EXPECT_EQ(source_.out, 1);
  EXPECT_EQ(memory_.used(), 300U) << "the rest of the first is not counted";
}

TEST_F(arena_test, chunks_double_from_a_page_to_a_mebibyte) {
  counting_source source;
  arena large;
  large.open(source, nullptr, 0, std::size_t{1} << 30);

  while (source.sizes.size() < 11) large.allocate(1000);

  EXPECT_EQ(source.sizes.front(), 4096U);
  for (std::size_t i = 1; i < 9; ++i) {
    EXPECT_EQ(source.sizes[i], source.sizes[i - 1] * 2);
  }
  EXPECT_EQ(source.sizes.back(), std::size_t{1} << 20);
}

TEST_F(arena_test, a_block_larger_than_a_chunk_gets_one_of_its_own) {
  const std::size_t size = 300'000;

  void* const block = memory_.allocate(size);

  std::memset(block, 1, size);
  ASSERT_EQ(source_.sizes.size(), 1U);
  EXPECT_GE(source_.sizes[0], size);
  EXPECT_EQ(memory_.used(), size);
}

TEST_F(arena_test, the_limit_can_be_used_to_its_last_byte) {
  memory_.allocate(100, 1);
  memory_.allocate(limit - 200, 1);
  memory_.allocate(100, 1);

  EXPECT_EQ(memory_.used(), limit);
  EXPECT_FALSE(memory_.refused());
  EXPECT_THROW(memory_.allocate(1, 1), std::bad_alloc);
}

TEST_F(arena_test, beyond_its_limit_it_refuses_and_remembers_it) {
  EXPECT_THROW(memory_.allocate(limit + 1), std::bad_alloc);

  memory_.allocate(10);

  EXPECT_TRUE(memory_.exhausted());
  EXPECT_TRUE(memory_.refused());
  EXPECT_FALSE(memory_.starved());
  EXPECT_EQ(memory_.used(), 10U) << "what was refused is not used";
}

TEST_F(arena_test, the_largest_size_of_all_is_refused_as_any_other) {
  memory_.allocate(1, 1);

  EXPECT_THROW(memory_.allocate(std::numeric_limits<std::size_t>::max()),
               std::bad_alloc);

  EXPECT_TRUE(memory_.exhausted());
}

TEST_F(arena_test, a_limit_below_the_first_memory_counts) {
  arena small;
  small.open(source_, first_, first_bytes, 100);

  small.allocate(100, 1);

  EXPECT_THROW(small.allocate(1, 1), std::bad_alloc);
  EXPECT_EQ(small.limit(), 100U);
}

TEST_F(arena_test, a_source_without_memory_starves_it) {
  source_.run_dry();

  EXPECT_THROW(memory_.allocate(1000), std::bad_alloc);

  EXPECT_TRUE(memory_.starved());
  EXPECT_TRUE(memory_.refused());
  EXPECT_FALSE(memory_.exhausted());
}

TEST_F(arena_test, releasing_gives_every_chunk_back_but_keeps_the_figure) {
  for (int i = 0; i < 100; ++i) memory_.allocate(1000);
  const std::size_t used = memory_.used();
  ASSERT_GT(source_.out, 1);

  memory_.release();

  EXPECT_EQ(source_.out, 0);
  EXPECT_EQ(memory_.used(), used);
}

TEST_F(arena_test, releasing_twice_gives_back_once) {
  memory_.allocate(1000);

  memory_.release();
  memory_.release();

  EXPECT_EQ(source_.out, 0);
}

TEST_F(arena_test, its_end_gives_every_chunk_back) {
  {
    arena brief;
    brief.open(source_, first_, first_bytes, limit);
    brief.allocate(1000);
    ASSERT_EQ(source_.out, 1);
  }

  EXPECT_EQ(source_.out, 0);
}

TEST_F(arena_test, opening_again_forgets_what_was_before) {
  EXPECT_THROW(memory_.allocate(limit + 1), std::bad_alloc);
  memory_.allocate(5000);
  memory_.release();

  memory_.open(source_, first_, first_bytes, limit);

  EXPECT_EQ(memory_.used(), 0U);
  EXPECT_EQ(memory_.last_known(), 0U);
  EXPECT_FALSE(memory_.refused());
  EXPECT_EQ(memory_.allocate(1), first_);
}

TEST_F(arena_test, another_thread_may_know_what_was_used_at_the_last_chunk) {
  memory_.allocate(200);
  memory_.allocate(1000);

  EXPECT_EQ(memory_.last_known(), 200U);
}

TEST_F(arena_test, is_the_memory_of_pmr_containers) {
  std::pmr::vector<std::pmr::string> lines(&memory_);

  for (int i = 0; i < 200; ++i) lines.emplace_back(40, 'x');

  EXPECT_EQ(lines.back(), std::pmr::string(40, 'x'));
  EXPECT_GT(memory_.used(), 200U * 40);
  EXPECT_GT(source_.out, 0);
}

TEST_F(arena_test, as_a_memory_resource_equals_only_itself) {
  arena other;

  EXPECT_TRUE(memory_.is_equal(memory_));
  EXPECT_FALSE(memory_.is_equal(other));
}

TEST_F(arena_test, deallocating_gives_nothing_back) {
  std::pmr::memory_resource& as_resource = memory_;

  void* const start = as_resource.allocate(100);
  as_resource.deallocate(start, 100);

  EXPECT_EQ(memory_.used(), 100U);
}

}  // namespace
