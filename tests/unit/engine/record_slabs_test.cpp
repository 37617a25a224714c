#include "hotplate/engine/record_slabs.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::detail::chunk;
using hotplate::detail::chunk_pool_hold;
using hotplate::detail::chunk_source;
using hotplate::detail::core;
using hotplate::detail::invocation;
using hotplate::detail::invocation_pool;
using hotplate::detail::record_slabs;

/// Calls somebody while a record ends, which gives its chunk back.
class telling_source final : public chunk_source {
 public:
  explicit telling_source(std::function<void()> tell)
      : tell_(std::move(tell)) {}
  chunk* take(std::size_t bytes) noexcept override { return own_->take(bytes); }
  void give(chunk* list) noexcept override {
    tell_();
    own_->give(list);
  }
  hotplate::detail::detachment detach(std::size_t bytes) noexcept override {
    return own_->detach(bytes);
  }
  void rejoin(std::byte* start, std::size_t bytes,
              bool scrub) noexcept override {
    own_->rejoin(start, bytes, scrub);
  }

 private:
  std::function<void()> tell_;
  chunk_pool_hold own_{0, false};
};

class record_slabs_test : public testing::Test {
 protected:
  /// The first record of a slab.
  invocation* fill() {
    return slabs_.fill([this](std::byte* where, std::uint32_t slot) noexcept {
      new (where) invocation(owner_, owner_.code(), slot, 1);
    });
  }
  void empty(std::size_t at) {
    slabs_.empty(at);
    slabs_.reuse(at);
  }

  core owner_{hotplate::engine_config{.workers = 0}};
  record_slabs slabs_;
};

TEST_F(record_slabs_test, an_emptied_slab_is_filled_again) {
  invocation* const first = fill();
  fill();

  empty(0);

  EXPECT_EQ(slabs_.filled(), 1U);
  EXPECT_EQ(fill(), first);
  EXPECT_EQ(slabs_.count(), 2U);
}

TEST_F(record_slabs_test, one_that_is_being_emptied_is_not_filled_meanwhile) {
  invocation* last = nullptr;
  for (int i = 0; i < 4; ++i) last = fill();
  empty(1);
  fill();  // From now on it looks behind that one for others.
  invocation* meanwhile = nullptr;
  telling_source source([&] { meanwhile = fill(); });
  last->memory.open(source, nullptr, 0, 1'000, false);
  last->memory.allocate(100);

  empty(3);

  ASSERT_NE(meanwhile, nullptr);
  EXPECT_NE(meanwhile, last);
  EXPECT_EQ(meanwhile->engine, &owner_);
}

TEST_F(record_slabs_test, a_timer_may_come_after_the_memory_was_given_back) {
  invocation* const gone = fill();
  fill();
  empty(0);

  const std::uint64_t token = (std::uint64_t{3} << 32) | 1;
  owner_.code().end_by_deadline(gone, token, 0);
  owner_.code().end_wait(gone, token, 0);

  EXPECT_EQ(gone->state, 0U) << "it found no invocation";
}

// Half of each slab falls idle before a look, half after it.
TEST_F(record_slabs_test, those_that_fell_idle_at_two_looks_meet_at_a_later) {
  hotplate::detail::timer_queue timers;
  invocation_pool pool(owner_, owner_.code(), 1);
  pool.use(timers);
  std::vector<invocation*> all;
  for (std::size_t i = 0; i < 10 * record_slabs::per_slab; ++i) {
    all.push_back(pool.take(nullptr));
  }

  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = half; i < all.size(); i += 2) {
      pool.give(*all[i], nullptr);
    }
    pool.look();
    while (pool.trim()) {
    }
  }
  pool.look();
  while (pool.trim()) {
  }

  EXPECT_FALSE(pool.holds_many(0)) << "two slabs are left";
}

}  // namespace
