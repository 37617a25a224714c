#include "hotplate/instances/rooms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "../arena/counting_source.hpp"

namespace {

using hotplate::detail::instance_rooms;

class rooms_test : public testing::Test {
 protected:
  std::vector<instance_rooms::room> take(int count, std::size_t bytes) {
    std::vector<instance_rooms::room> taken;
    for (int i = 0; i < count; ++i) {
      taken.push_back(rooms.take(bytes, 64));
      std::memset(taken.back().start, i, bytes);
    }
    return taken;
  }
  void give(const std::vector<instance_rooms::room>& taken) {
    for (const auto& each : taken) rooms.give(each, 64);
  }

  counting_source chunks;
  instance_rooms rooms{chunks};
};

TEST(shared_rooms_test, workers_take_theirs_from_different_chunks) {
#if defined(HOTPLATE_ASAN)
  GTEST_SKIP() << "all are the heap's";
#endif
  counting_source chunks;
  instance_rooms rooms(chunks, 2);
  const auto first = rooms.take(100, 64, 0);
  const auto second = rooms.take(100, 64, 1);

  EXPECT_EQ(chunks.out, 2);
  EXPECT_NE(first.in, second.in);
  EXPECT_EQ(rooms.take(100, 64, 0).in, first.in);
  EXPECT_EQ(rooms.take(100, 64, 1).in, second.in);
}

TEST_F(rooms_test, they_keep_apart_and_are_aligned) {
  for (const std::size_t bytes : {1U, 64U, 65U, 500U, 1024U, 1025U, 5000U}) {
    auto taken = take(200, bytes);

    const auto before = [](const auto& a, const auto& b) {
      return a.start < b.start;
    };
    std::sort(taken.begin(), taken.end(), before);
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const auto at = reinterpret_cast<std::uintptr_t>(taken[i].start);
      EXPECT_EQ(at % 64, 0U);
      if (i == 0) continue;
      const auto last = reinterpret_cast<std::uintptr_t>(taken[i - 1].start);
      EXPECT_GE(at - last, bytes);
    }
    give(taken);
  }
}

// Under AddressSanitizer all are the heap's.
#if !defined(HOTPLATE_ASAN)

TEST_F(rooms_test, what_stands_empty_goes_back_but_for_one_chunk) {
  const auto taken = take(1'000, 200);
  ASSERT_GT(chunks.out, 5);

  give(taken);

  EXPECT_EQ(chunks.out, 1);
}

TEST_F(rooms_test, one_that_stays_keeps_its_chunk_only) {
  auto taken = take(1'000, 200);
  const auto stays = taken[500];
  taken.erase(taken.begin() + 500);

  give(taken);

  EXPECT_LE(chunks.out, 2) << "the one used, and one to be used next";
  EXPECT_EQ(static_cast<unsigned char*>(stays.start)[199], 500 % 256);
  rooms.give(stays, 64);
}

TEST_F(rooms_test, chunks_come_once_and_are_used_again) {
  for (int round = 0; round < 100; ++round) give(take(50, 300));

  EXPECT_EQ(chunks.sizes.size(), 1U);
}

TEST_F(rooms_test, without_memory_none_is_taken) {
  chunks.run_dry();

  EXPECT_THROW(rooms.take(100, 64), std::bad_alloc);
}

#endif

TEST_F(rooms_test, large_and_strictly_aligned_ones_are_the_heaps) {
  const auto large = rooms.take(2'000, 16);
  const auto aligned = rooms.take(256, 256);

  EXPECT_EQ(chunks.out, 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(aligned.start) % 256, 0U);
  rooms.give(large, 16);
  rooms.give(aligned, 256);
}

}  // namespace
