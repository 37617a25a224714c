#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "counting_source.hpp"
#include "hotplate/arena.hpp"
#include "hotplate/arena/chunk_pool_hold.hpp"
#include "hotplate/payload.hpp"

// Memory that leaves its arena, and the payloads that are made of it.

namespace {

using hotplate::arena;
using hotplate::payload;
using hotplate::detail::chunk_pool;
using hotplate::detail::chunk_pool_hold;
using hotplate::detail::detachment;

class detach_test : public testing::Test {
 protected:
  static constexpr std::size_t limit = std::size_t{1} << 20;

  detach_test() { memory_.open(source_, nullptr, 0, limit); }

  counting_source source_;
  arena memory_;
};

TEST_F(detach_test, up_to_4_kib_a_payload_is_zeros_on_the_heap) {
  payload small(memory_, 4096);

  EXPECT_EQ(small.size(), 4096U);
  EXPECT_TRUE(std::all_of(small.bytes().begin(), small.bytes().end(),
                          [](std::byte each) { return each == std::byte{0}; }));
  EXPECT_EQ(source_.detached, 0);
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_F(detach_test, a_larger_one_is_memory_of_its_own_that_counts) {
  memory_.allocate(100);

  payload large(memory_, 4097);

  EXPECT_EQ(large.size(), 4097U);
  EXPECT_EQ(source_.detached, 1);
  EXPECT_EQ(memory_.used(), 4197U);
  EXPECT_EQ(memory_.last_known(), 4197U);
}

TEST_F(detach_test, one_of_no_bytes_is_empty) {
  EXPECT_TRUE(payload(memory_, 0).empty());
}

TEST_F(detach_test, its_bytes_stay_where_they_are_when_it_moves) {
  payload first(memory_, 5000);
  std::memset(first.writable().data(), 'x', 5000);
  const std::byte* const start = first.data();

  payload second(std::move(first));
  payload third(std::string("gone"));
  third = std::move(second);

  EXPECT_EQ(third.data(), start);
  EXPECT_EQ(third.text(), std::string(5000, 'x'));
  EXPECT_EQ(source_.detached, 1);
}

TEST_F(detach_test, it_comes_back_once_whoever_has_it) {
  {
    payload first(memory_, 5000);
    payload second(std::move(first));
    payload other(memory_, 9000);
    other = std::move(second);
    EXPECT_EQ(source_.detached, 1) << "assigning frees what was there";
  }

  EXPECT_EQ(source_.detached, 0);
  EXPECT_EQ(memory_.used(), 14'000U) << "until the arena is rewound";
}

TEST_F(detach_test, it_stays_when_the_arena_is_rewound) {
  memory_.allocate(100);
  const payload response(memory_, 5000);

  memory_.release();

  EXPECT_EQ(source_.out, 0);
  EXPECT_EQ(source_.detached, 1);
}

TEST_F(detach_test, truncated_it_comes_back_whole) {
  {
    payload response(memory_, 9000);
    response.truncate(10'000);
    EXPECT_EQ(response.size(), 9000U);
    response.truncate(5);
    EXPECT_EQ(response.size(), 5U);
  }

  EXPECT_EQ(source_.rejoined, std::vector<std::size_t>{12'288}) << "in pages";
}

TEST_F(detach_test, the_limit_is_shared_with_the_arena_to_the_byte) {
  memory_.allocate(100, 1);
  const payload one(memory_, limit - 300);
  memory_.allocate(200, 1);

  EXPECT_EQ(memory_.used(), limit);
  EXPECT_FALSE(memory_.refused());
  EXPECT_THROW(memory_.allocate(1, 1), std::bad_alloc)
      << "although the chunk has room";
  EXPECT_TRUE(memory_.exhausted());
}

TEST_F(detach_test, beyond_the_limit_it_is_refused) {
  memory_.allocate(100, 1);

  EXPECT_THROW(payload(memory_, limit - 99), std::bad_alloc);

  EXPECT_TRUE(memory_.exhausted());
  EXPECT_EQ(memory_.used(), 100U);
  EXPECT_EQ(source_.detached, 0);
}

TEST_F(detach_test, without_host_memory_the_arena_is_starved) {
  source_.run_dry();

  EXPECT_THROW(payload(memory_, 5000), std::bad_alloc);

  EXPECT_TRUE(memory_.starved());
  EXPECT_EQ(memory_.crowded(), 0U);
  EXPECT_EQ(memory_.used(), 0U);
}

TEST_F(detach_test, where_too_much_is_held_the_arena_knows_how_much) {
  source_.crowd = 12'345;

  EXPECT_THROW(payload(memory_, 5000), std::bad_alloc);

  EXPECT_EQ(memory_.crowded(), 12'345U);
  EXPECT_TRUE(memory_.refused());
  EXPECT_FALSE(memory_.exhausted());
  EXPECT_FALSE(memory_.starved());
  memory_.open(source_, nullptr, 0, limit);
  EXPECT_EQ(memory_.crowded(), 0U);
  EXPECT_FALSE(memory_.refused());
}

TEST_F(detach_test, only_a_scrubbing_arenas_is_overwritten) {
  { const payload plain(memory_, 5000); }
  EXPECT_EQ(source_.scrubbed, 0);

  memory_.open(source_, nullptr, 0, limit, true);
  { const payload secret(memory_, 5000); }

  EXPECT_EQ(source_.scrubbed, 1);
  EXPECT_FALSE(memory_.refused());
}

class detached_chunk_test : public testing::Test {
 protected:
  static constexpr std::size_t mebibyte = std::size_t{1} << 20;
  static constexpr std::size_t most = 64 * mebibyte;

  std::byte* detach(chunk_pool& pool, std::size_t bytes) {
    const detachment got = pool.detach(bytes);
    EXPECT_NE(got.start, nullptr);
    std::memset(got.start, 0xa5, bytes);
    return got.start;
  }
};

TEST_F(detached_chunk_test, whole_chunks_are_counted_and_aligned_to_a_page) {
  const chunk_pool_hold pool(most, false);

  std::byte* const one = detach(*pool, 8192);
  std::byte* const two = detach(*pool, 8193);

  EXPECT_EQ(pool->held_bytes(), 8192U + 16'384U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(one) % 4096, 0U);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(two) % 4096, 0U);
  pool->rejoin(one, 8192, false);
  EXPECT_EQ(pool->held_bytes(), 16'384U);
  pool->rejoin(two, 12'288, false);
  EXPECT_EQ(pool->held_bytes(), 0U);
}

TEST_F(detached_chunk_test, what_came_back_is_taken_again) {
  const chunk_pool_hold pool(most, false);
  std::byte* const start = detach(*pool, 8192);

  pool->rejoin(start, 8192, false);

  EXPECT_EQ(reinterpret_cast<std::byte*>(pool->take(8192)), start);
}

TEST_F(detached_chunk_test, the_limit_can_be_held_but_not_exceeded) {
  const chunk_pool_hold pool(3 * 8192, false);
  std::byte* const first = detach(*pool, 16'384);
  std::byte* const second = detach(*pool, 5000);

  const detachment refused = pool->detach(4097);

  EXPECT_EQ(refused.start, nullptr);
  EXPECT_EQ(refused.beyond_limit, 4U * 8192);
  EXPECT_EQ(pool->held_bytes(), 3U * 8192);
  pool->rejoin(first, 16'384, false);
  pool->rejoin(second, 8192, false);
}

// New mappings fail meanwhile.
class no_address_space {
 public:
  no_address_space() {
    getrlimit(RLIMIT_AS, &before_);
    const rlimit least{1 << 20, before_.rlim_max};
    setrlimit(RLIMIT_AS, &least);
  }
  no_address_space(const no_address_space&) = delete;
  no_address_space& operator=(const no_address_space&) = delete;
  ~no_address_space() { setrlimit(RLIMIT_AS, &before_); }

 private:
  rlimit before_{};
};

TEST_F(detached_chunk_test, what_memory_does_not_give_is_not_held) {
  const chunk_pool_hold pool(most, false);

  detachment refused;
  {
    const no_address_space out;
    refused = pool->detach(8 * mebibyte);
  }

  EXPECT_EQ(refused.start, nullptr);
  EXPECT_EQ(refused.beyond_limit, 0U);
  EXPECT_EQ(pool->held_bytes(), 0U);
  pool->rejoin(detach(*pool, 8 * mebibyte), 8 * mebibyte, false);
}

TEST_F(detached_chunk_test, more_than_16_gibibytes_are_refused) {
  const chunk_pool_hold pool(~std::size_t{0} >> 1, false);

  EXPECT_EQ(pool->detach((std::size_t{16} << 30) + 1).start, nullptr);
  EXPECT_EQ(pool->held_bytes(), 0U);
}

// Its pool is there until then: the figures can be asked for.
TEST_F(detached_chunk_test, after_the_engine_only_their_own_regions_stay) {
  auto* const hold = new chunk_pool_hold(most, false);
  chunk_pool& pool = **hold;
  std::byte* const small = detach(pool, 8192);
  std::byte* const large = detach(pool, 8 * mebibyte);
  for (int i = 0; i < 40; ++i) pool.take(mebibyte);
  pool.give(pool.take(16 * mebibyte));
  ASSERT_EQ(pool.mapped_bytes(), (32 + 8 + 32 + 16) * mebibyte);

  delete hold;
  EXPECT_EQ(pool.mapped_bytes(), (32 + 8) * mebibyte);
  pool.rejoin(large, 8 * mebibyte, false);
  EXPECT_EQ(pool.mapped_bytes(), 32 * mebibyte);

  EXPECT_EQ(small[8191], std::byte{0xa5});
  pool.rejoin(small, 8192, false);  // Its end: LSan would report it.
}

int held_in_a_child_after_rejoining(bool threaded) {
  const chunk_pool_hold pool(8192, threaded);
  const detachment got = pool->detach(8192);
  const pid_t child = fork();
  if (child == 0) {
    pool->rejoin(got.start, 8192, false);
    _exit(static_cast<int>(pool->held_bytes() / 4096));
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(pool->held_bytes(), 8192U) << "the parent's is not touched";
  pool->rejoin(got.start, 8192, false);
  return WEXITSTATUS(status);
}

TEST_F(detached_chunk_test, a_forked_child_leaks_rather_than_hangs) {
  EXPECT_EQ(held_in_a_child_after_rejoining(true), 2);
  EXPECT_EQ(held_in_a_child_after_rejoining(false), 0)
      << "a host-pumped engine goes on there";
}

}  // namespace
