#include "hotplate/arena/chunk_pool_hold.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "hotplate/arena.hpp"

namespace {

using hotplate::arena;
using hotplate::detail::chunk;
using hotplate::detail::chunk_pool;
using hotplate::detail::chunk_pool_hold;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// As arenas return them: in one list.
void give_all(chunk_pool& pool, const std::vector<chunk*>& chunks) {
  chunk* list = nullptr;
  for (chunk* const each : chunks) {
    each->next = list;
    list = each;
  }
  pool.give(list);
}

std::vector<chunk*> take_many(chunk_pool& pool, std::size_t bytes, int count) {
  std::vector<chunk*> taken;
  for (int i = 0; i < count; ++i) taken.push_back(pool.take(bytes));
  return taken;
}

class chunk_pool_test : public testing::Test {
 protected:
  static constexpr std::size_t most_held = 64 * mebibyte;

  chunk_pool_hold hold_{most_held, false};
  chunk_pool& pool = *hold_;
};

TEST_F(chunk_pool_test, a_new_one_holds_nothing) {
  EXPECT_EQ(pool.mapped_bytes(), 0U);
  EXPECT_EQ(pool.growths(), 0U);
}

TEST_F(chunk_pool_test, sizes_are_the_next_power_of_two_from_a_page_on) {
  EXPECT_EQ(pool.take(1)->size, 4096U);
  EXPECT_EQ(pool.take(4096)->size, 4096U);
  EXPECT_EQ(pool.take(4097)->size, 8192U);
  EXPECT_EQ(pool.take(mebibyte)->size, mebibyte);
}

TEST_F(chunk_pool_test, small_chunks_share_one_region) {
  take_many(pool, 4096, 1000);

  EXPECT_EQ(pool.growths(), 1U);
  EXPECT_EQ(pool.mapped_bytes(), 32 * mebibyte);
}

TEST_F(chunk_pool_test, chunks_of_all_sizes_keep_apart) {
  std::vector<chunk*> taken;
  for (std::size_t bytes = 4096; bytes <= mebibyte; bytes *= 2) {
    taken.push_back(pool.take(bytes));
  }

  std::sort(taken.begin(), taken.end());

  for (std::size_t i = 1; i < taken.size(); ++i) {
    const auto* const end =
        reinterpret_cast<std::byte*>(taken[i - 1]) + taken[i - 1]->size;
    EXPECT_LE(end, reinterpret_cast<std::byte*>(taken[i]));
  }
}

TEST_F(chunk_pool_test, the_chunk_returned_last_is_taken_first) {
  chunk* const one = pool.take(8192);
  chunk* const two = pool.take(8192);

  give_all(pool, {one});
  give_all(pool, {two});

  EXPECT_EQ(pool.take(8192), two);
  EXPECT_EQ(pool.take(8192), one);
}

TEST_F(chunk_pool_test, a_list_comes_back_whole) {
  const auto taken = take_many(pool, 4096, 5);

  give_all(pool, taken);

  auto again = take_many(pool, 4096, 5);
  EXPECT_TRUE(std::is_permutation(again.begin(), again.end(), taken.begin()));
}

TEST_F(chunk_pool_test, at_its_working_size_it_asks_the_kernel_for_nothing) {
  const auto work = [&] {
    auto taken = take_many(pool, 4096, 100);
    for (const auto& each :
         {take_many(pool, mebibyte, 40), take_many(pool, 8 * mebibyte, 3)}) {
      taken.insert(taken.end(), each.begin(), each.end());
    }
    give_all(pool, taken);
  };
  work();
  const std::size_t growths = pool.growths();

  for (int i = 0; i < 50; ++i) work();

  EXPECT_EQ(pool.growths(), growths);
}

TEST_F(chunk_pool_test, the_rest_of_a_full_region_is_not_lost) {
  pool.take(mebibyte);
  take_many(pool, 2 * mebibyte, 15);  // One mebibyte is left.
  pool.take(2 * mebibyte);
  ASSERT_EQ(pool.growths(), 2U);

  take_many(pool, 2 * mebibyte, 15);  // The second region is full.
  pool.take(mebibyte);

  EXPECT_EQ(pool.growths(), 2U);
}

TEST_F(chunk_pool_test, a_large_chunk_is_mapped_by_itself) {
  chunk* const large = pool.take(3 * mebibyte);

  EXPECT_EQ(large->size, 4 * mebibyte);
  EXPECT_EQ(pool.mapped_bytes(), 4 * mebibyte);
}

TEST_F(chunk_pool_test, only_256_mebibytes_of_large_chunks_are_kept_idle) {
  const auto taken = take_many(pool, 64 * mebibyte, 6);
  ASSERT_EQ(pool.mapped_bytes(), 6 * 64 * mebibyte);

  give_all(pool, taken);

  EXPECT_EQ(pool.mapped_bytes(), 256 * mebibyte);
}

TEST_F(chunk_pool_test, large_chunks_taken_again_make_room_for_others) {
  give_all(pool, take_many(pool, 64 * mebibyte, 4));
  const auto again = take_many(pool, 64 * mebibyte, 4);
  const std::size_t growths = pool.growths();

  give_all(pool, again);

  EXPECT_EQ(pool.mapped_bytes(), 256 * mebibyte);
  EXPECT_EQ(growths, 4U);
}

TEST_F(chunk_pool_test, more_than_16_gibibytes_are_refused) {
  EXPECT_EQ(pool.take((std::size_t{16} << 30) + 1), nullptr);
  EXPECT_EQ(pool.growths(), 0U);
}

TEST_F(chunk_pool_test, an_arena_fills_recycled_chunks_to_their_ends) {
  for (int round = 0; round < 3; ++round) {
    arena memory;
    memory.open(pool, nullptr, 0, 8 * mebibyte);

    for (int i = 0; i < 2000; ++i) std::memset(memory.allocate(4000), 1, 4000);

    EXPECT_EQ(memory.used(), 2000U * 4000);
    EXPECT_EQ(pool.growths(), 1U);
  }
}

}  // namespace
