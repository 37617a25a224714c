#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>
#include <set>
#include <vector>

#include "hotplate/arena/chunk_pool_hold.hpp"
#include "hotplate/arena/stack_pool.hpp"

namespace {

using hotplate::detail::chunk;
using hotplate::detail::chunk_pool;
using hotplate::detail::chunk_pool_hold;
using hotplate::detail::stack_memory;
using hotplate::detail::stack_pool;

// Those that hold memory, of so many bytes from a page's start on; none where
// nothing is mapped.
std::size_t resident_pages(const void* start, std::size_t bytes) {
  std::vector<unsigned char> pages(bytes / 4096);
  if (mincore(const_cast<void*>(start), bytes, pages.data()) != 0) return 0;
  std::size_t count = 0;
  for (const unsigned char each : pages) count += each & 1U;
  return count;
}

template <typename Pool>
void trim_all(Pool& pool) {
  while (pool.trim()) {
  }
}

class chunk_trim_test : public testing::Test {
 protected:
  static constexpr std::size_t region = std::size_t{32} << 20;

  std::vector<chunk*> take(std::size_t bytes, int count) {
    std::vector<chunk*> taken;
    for (int i = 0; i < count; ++i) {
      taken.push_back(pool.take(bytes));
      chunk* const last = taken.back();
      // As an arena does with what it allocates.
      hotplate::detail::unpoison(last + 1, last->size - sizeof(chunk));
      std::memset(static_cast<void*>(last + 1), 1, last->size - sizeof(chunk));
    }
    return taken;
  }
  void give(const std::vector<chunk*>& chunks) {
    for (chunk* const each : chunks) {
      each->next = nullptr;
      pool.give(each);
    }
  }
  void look_and_trim() {
    pool.look();
    trim_all(pool);
  }

  chunk_pool_hold hold_{std::size_t{64} << 20, false};
  chunk_pool& pool = *hold_;
};

TEST_F(chunk_trim_test, what_lay_idle_between_two_looks_goes_with_its_region) {
  give(take(1 << 20, 40));
  ASSERT_EQ(pool.mapped_bytes(), 2 * region);

  look_and_trim();
  EXPECT_EQ(pool.mapped_bytes(), 2 * region) << "it may be wanted soon";
  look_and_trim();

  EXPECT_EQ(pool.mapped_bytes(), 0U);
  take(1 << 20, 40);
  EXPECT_EQ(pool.mapped_bytes(), 2 * region) << "and comes again";
}

TEST_F(chunk_trim_test, what_was_taken_between_two_looks_stays) {
  for (int round = 0; round < 10; ++round) {
    give(take(1 << 20, 20));
    look_and_trim();
  }

  EXPECT_EQ(pool.growths(), 1U);
  EXPECT_EQ(resident_pages(take(1 << 20, 1)[0], 1 << 20), 256U);
}

TEST_F(chunk_trim_test, what_is_idle_beside_others_in_use_is_emptied) {
  chunk* const used = take(64 << 10, 1)[0];
  const auto idle = take(64 << 10, 100);
  give(idle);

  look_and_trim();
  look_and_trim();

  std::size_t pages = 0;
  for (chunk* const each : idle) pages += resident_pages(each, 64 << 10);
  EXPECT_EQ(pages, 16U) << "those of the one that is kept";
  EXPECT_EQ(resident_pages(used, 64 << 10), 16U);
}

TEST_F(chunk_trim_test, what_was_emptied_is_taken_again_before_anything_new) {
  chunk* const used = take(8 << 10, 1)[0];
  const auto idle = take(8 << 10, 4095);  // The region is full.
  give(idle);
  look_and_trim();
  look_and_trim();

  const auto again = take(8 << 10, 4095);

  EXPECT_EQ(pool.growths(), 1U);
  EXPECT_EQ(std::set<chunk*>(again.begin(), again.end()),
            std::set<chunk*>(idle.begin(), idle.end()));
  for (chunk* const each : again) ASSERT_EQ(each->size, 8U << 10);
  give(again);
  give({used});
  look_and_trim();
  look_and_trim();
  EXPECT_EQ(pool.mapped_bytes(), region) << "64 KiB of it are kept";
}

TEST_F(chunk_trim_test, a_region_of_which_parts_were_emptied_goes_whole) {
  chunk* const used = take(1 << 20, 1)[0];
  give(take(1 << 20, 20));
  look_and_trim();
  look_and_trim();
  ASSERT_EQ(pool.mapped_bytes(), region);

  give(take(1 << 20, 5));  // Of the emptied ones.
  give({used});
  look_and_trim();
  look_and_trim();

  EXPECT_EQ(pool.mapped_bytes(), 0U);
  EXPECT_EQ(take(1 << 20, 2).size(), 2U) << "nothing of it is found any more";
}

TEST_F(chunk_trim_test, large_chunks_go_one_by_one) {
  chunk* const used = take(4 << 20, 1)[0];
  give(take(4 << 20, 3));

  look_and_trim();
  look_and_trim();

  EXPECT_EQ(pool.mapped_bytes(), 4U << 20);
  EXPECT_EQ(resident_pages(used, 4 << 20), 1024U);
}

class stack_trim_test : public testing::Test {
 protected:
  stack_memory make() {
    const stack_memory made = pool.make(stack_pool::class_of(64 << 10));
    std::memset(made.bottom, 0x5a, made.size);
    return made;
  }
  std::vector<stack_memory> make(int count) {
    std::vector<stack_memory> made;
    for (int i = 0; i < count; ++i) made.push_back(make());
    return made;
  }
  void give_back(const std::vector<stack_memory>& stacks) {
    for (const stack_memory& each : stacks) pool.give_back(each);
    trim_all(pool);
  }
  static std::size_t pages_of(const std::vector<stack_memory>& stacks) {
    std::size_t pages = 0;
    for (const auto& each : stacks) {
      pages += resident_pages(each.bottom, each.size);
    }
    return pages;
  }

  stack_pool pool;
};

TEST_F(stack_trim_test, a_reservation_that_nobody_uses_holds_nothing) {
  const auto all = make(1000);
  ASSERT_GE(pages_of(all), 16'000U);

  give_back(all);

  EXPECT_EQ(pages_of(all), 0U);
  EXPECT_EQ(pool.made(), 0U);
  for (const stack_memory& each : all) {
    ASSERT_EQ(each.bottom[each.size - 1], std::byte{0}) << "but is mapped";
  }
}

TEST_F(stack_trim_test, one_beside_others_in_use_holds_nothing) {
  const stack_memory used = make();
  const auto others = make(20);

  give_back(others);

  EXPECT_EQ(pages_of(others), 0U);
  EXPECT_EQ(pages_of({used}), used.size / 4096);
  EXPECT_EQ(pool.made(), 1U);
}

TEST_F(stack_trim_test, what_was_given_back_is_made_again) {
  for (const int in_use : {0, 1}) {
    const auto used = make(in_use);
    const auto all = make(50);
    give_back(all);

    const auto again = make(50);

    std::set<std::byte*> before, after;
    for (const auto& each : all) before.insert(each.bottom);
    for (const auto& each : again) after.insert(each.bottom);
    EXPECT_EQ(before, after);
    give_back(again);
  }
}

// The sanitizers have handlers of their own for a touched guard.
#if !defined(HOTPLATE_ASAN) && !defined(HOTPLATE_TSAN)

TEST_F(stack_trim_test, one_that_is_made_again_has_its_guard) {
  for (const int in_use : {0, 1}) {
    const auto used = make(in_use);
    give_back(make(3));

    const stack_memory again = make();

    EXPECT_EXIT(*static_cast<volatile std::byte*>(again.bottom - 1) = {},
                testing::KilledBySignal(SIGSEGV), "");
    EXPECT_EXIT(
        *static_cast<volatile std::byte*>(again.bottom - (64 << 10)) = {},
        testing::KilledBySignal(SIGSEGV), "");
  }
}

#endif

}  // namespace
