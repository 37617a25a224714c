#include "hotplate/base/chunk_cache.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <new>

#include "counting_source.hpp"
#include "hotplate/arena.hpp"

namespace {

using hotplate::arena;
using hotplate::detail::chunk;
using hotplate::detail::chunk_cache;

class chunk_cache_test : public testing::Test {
 protected:
  chunk_cache_test() { chunks_.in_powers = true; }
  ~chunk_cache_test() override { chunks_.give(cache_.empty()); }

  void use(std::size_t bytes) {
    arena memory;
    memory.open(chunks_, nullptr, 0, std::size_t{16} << 20);
    memory.draw_on(&cache_);
    memory.allocate(bytes);
  }

  counting_source chunks_;
  chunk_cache cache_;
};

TEST_F(chunk_cache_test, what_was_given_back_is_used_again) {
  use(4'000);
  const std::size_t asked = chunks_.sizes.size();

  for (int i = 0; i < 100; ++i) use(4'000);

  EXPECT_EQ(chunks_.sizes.size(), asked);
  EXPECT_EQ(chunks_.out, 1) << "held by the cache";
}

TEST_F(chunk_cache_test, the_limit_holds_for_what_is_at_hand) {
  use(4'000);
  arena memory;
  memory.open(chunks_, nullptr, 0, 1'000);
  memory.draw_on(&cache_);

  EXPECT_THROW(memory.allocate(1'001), std::bad_alloc);
  memory.allocate(600);
  EXPECT_THROW(memory.allocate(600), std::bad_alloc);
  memory.release();

  EXPECT_TRUE(memory.exhausted());
  EXPECT_EQ(memory.wanted(), 1'200U);
  EXPECT_EQ(memory.used(), 600U) << "as it was before it was given back";
}

TEST_F(chunk_cache_test, what_is_at_hand_is_as_large_and_as_aligned_as_asked) {
  for (const std::size_t bytes : {1U, 4'064U, 4'065U, 60'000U, 70'000U}) {
    use(bytes);
    arena memory;
    memory.open(chunks_, nullptr, 0, std::size_t{16} << 20);
    memory.draw_on(&cache_);
    auto* const first = static_cast<char*>(memory.allocate(bytes, 16));
    auto* const next = static_cast<char*>(memory.allocate(64, 64));

    EXPECT_GE(next < first ? first - next : next - first,
              static_cast<std::ptrdiff_t>(next < first ? 64 : bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(first) % 16, 0U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(next) % 64, 0U);
    std::memset(first, 1, bytes);  // Of no more than is poisoned otherwise.
    std::memset(next, 2, 64);
    EXPECT_EQ(first[bytes - 1], 1);
  }
}

TEST_F(chunk_cache_test, each_size_has_its_own) {
  use(4'000);
  use(20'000);
  const std::size_t asked = chunks_.sizes.size();

  chunk* const large = cache_.take(32'768);
  chunk* const small = cache_.take(100);

  ASSERT_NE(large, nullptr);
  ASSERT_NE(small, nullptr);
  EXPECT_GE(large->size, 32'768U);
  EXPECT_LT(small->size, 32'768U);
  EXPECT_EQ(cache_.take(100), nullptr);
  EXPECT_EQ(chunks_.sizes.size(), asked);
  large->next = small;
  small->next = nullptr;
  EXPECT_EQ(cache_.give(large), nullptr);
}

TEST_F(chunk_cache_test, what_is_large_or_too_much_goes_to_the_source) {
  use(1'000'000);
  EXPECT_EQ(chunks_.out, 0);

  arena memory[100];
  for (arena& each : memory) {
    each.open(chunks_, nullptr, 0, std::size_t{16} << 20);
    each.draw_on(&cache_);
    each.allocate(4'000);
  }
  for (arena& each : memory) each.release();

  EXPECT_EQ(chunks_.out, 64) << "256 KiB";
}

TEST_F(chunk_cache_test, one_that_was_emptied_has_none) {
  use(4'000);
  use(10'000);

  chunks_.give(cache_.empty());

  EXPECT_EQ(chunks_.out, 0);
  EXPECT_EQ(cache_.take(4'000), nullptr);
}

}  // namespace
