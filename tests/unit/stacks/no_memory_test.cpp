// Long because: it replaces the heap for all its tests.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "hotplate/engine.hpp"

// A program of its own: it replaces the heap. Each allocation is made to fail
// in turn, and then all at once.

namespace {

// Allocations until the one that fails, and whether all later ones do; any
// thread counts.
std::atomic<long> until_failure = -1;
std::atomic<bool> fails_from_then_on = false;
std::atomic<long> counted = 0;

bool fails_now() noexcept {
  counted.fetch_add(1, std::memory_order_relaxed);
  const long left = until_failure.load(std::memory_order_relaxed);
  if (left < 0) return false;
  if (left == 0 && fails_from_then_on) return true;
  return until_failure.fetch_sub(1, std::memory_order_relaxed) == 0;
}

void* take(std::size_t bytes, std::size_t alignment) noexcept {
  if (fails_now()) return nullptr;
  bytes = (bytes + alignment - 1) / alignment * alignment;
  return std::aligned_alloc(alignment, bytes == 0 ? alignment : bytes);
}

void* take_or_throw(std::size_t bytes, std::size_t alignment) {
  void* const taken = take(bytes, alignment);
  if (taken == nullptr) throw std::bad_alloc();
  return taken;
}

}  // namespace

// The nothrow and array forms call these.
void* operator new(std::size_t bytes) { return take_or_throw(bytes, 16); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return take_or_throw(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* taken) noexcept { std::free(taken); }
void operator delete(void* taken, std::size_t) noexcept { std::free(taken); }
void operator delete(void* taken, std::align_val_t) noexcept {
  std::free(taken);
}
void operator delete(void* taken, std::size_t, std::align_val_t) noexcept {
  std::free(taken);
}

namespace {

using hotplate::context;
using hotplate::errc;
using std::chrono::milliseconds;

void fail(long after, bool from_then_on) {
  fails_from_then_on = from_then_on;
  until_failure = after;
}

struct counter {
  int operator()(context&, int by) { return sum += by; }
  int sum = 0;
  std::vector<int> memory = std::vector<int>(100);
};

class no_memory_test : public testing::TestWithParam<int> {
 protected:
  void set_up_engine() {
    made_ = std::make_unique<hotplate::engine>(
        hotplate::engine_config{.workers = GetParam()});
    made_->deploy<counter>("state");
    made_->deploy("empty", [](context&) {});
    made_->deploy("throws", [](context&) {
      throw std::runtime_error("a text that does not fit the exception");
    });
    made_->deploy("outer",
                  [](context& ctx) { return ctx.invoke("empty").has_value(); });
    made_->deploy("large", [] {}, {.stack_bytes = 1 << 20});
    made_->deploy("echo", [](std::string_view text) {
      return std::string(text) + std::string(text);
    });
    made_->deploy("none", [] {}, {.reserved_concurrency = 0});
    made_->deploy("late", [](context& ctx) { ctx.sleep_for(milliseconds(3)); },
                  {.timeout = milliseconds(1)});
    made_->deploy("sleep",
                  [](context& ctx) { ctx.sleep_for(milliseconds(1)); });
  }

  // Ends with some outcome, or with std::bad_alloc where there is none to tell.
  template <typename Call>
  void attempt(const Call& call) noexcept {
    try {
      const errc code = call().code();
      ++codes_[static_cast<std::size_t>(code)];
    } catch (const std::bad_alloc&) {
      ++thrown_;
    }
  }

  void do_everything() noexcept {
    for (const char* const name :
         {"state", "empty", "throws", "outer", "large", "echo", "none", "late",
          "sleep", "missing"}) {
      attempt([&] {
        return made_->invoke(name, "12345678901234567890", {.tenant = "t"});
      });
      attempt([&] { return made_->invoke_async(name).get(); });
    }
    attempt([&] {
      auto cancelled = made_->invoke_async("sleep");
      cancelled.cancel();
      return cancelled.get();
    });
    attempt([&] {
      return made_->invoke_async("empty")
          .then([](auto&& of) { return of.has_value(); })
          .get();
    });
  }

  void expect_all_is_well() {
    until_failure = -1;
    // Handlers whose callers were answered early end on their own.
    for (int i = 0; i < 10'000 && made_->stats().in_flight > 0; ++i) {
      made_->poll();
      usleep(100);
    }
    ASSERT_EQ(made_->stats().in_flight, 0);
    // Also fills up the errors that are kept.
    EXPECT_EQ(made_->invoke("none").code(), errc::throttled);
    for (const char* const name : {"empty", "outer", "large", "sleep"}) {
      const auto outcome = made_->invoke(name);
      EXPECT_TRUE(outcome) << name << ": " << outcome.error().message;
    }
    EXPECT_EQ(made_->invoke("echo", "12").value().text(), "1212");
  }

  std::array<int, hotplate::errc_count> codes_{};
  std::unique_ptr<hotplate::engine> made_;
  int thrown_ = 0;
};

// From the engine's constructor on.
TEST_P(no_memory_test, any_one_allocation_may_fail) {
  counted = 0;
  set_up_engine();
  do_everything();
  const long all = counted;

  for (long n = 0; n < all; ++n) {
    made_.reset();
    fail(n, false);
    try {
      set_up_engine();
      do_everything();
    } catch (const std::bad_alloc&) {  // Setting up throws.
      until_failure = -1;
      set_up_engine();
    }
    expect_all_is_well();
  }
  std::printf("%ld allocations, each made to fail\n", all);
}

// As if memory ran out at some point and came back later.
TEST_P(no_memory_test, all_allocations_may_fail_from_any_one_on) {
  counted = 0;
  set_up_engine();
  const long first = counted;
  do_everything();
  const long all = counted;

  for (long n = all; n >= first; --n) {
    made_.reset();
    set_up_engine();
    fail(n - first, true);
    do_everything();
    expect_all_is_well();
  }
}

TEST_P(no_memory_test, a_warm_invocation_needs_no_memory) {
  set_up_engine();
  do_everything();
  fail(0, true);
  bool all = true;
  for (int i = 0; i < 1000; ++i) all = all && made_->invoke("empty");
  until_failure = -1;

  EXPECT_TRUE(all);
}

TEST_P(no_memory_test, who_is_refused_is_told_without_memory) {
  set_up_engine();
  (void)made_->invoke("empty");
  fail(0, true);
  int with_details = 0;
  for (int i = 0; i < 200; ++i) {
    attempt([&] {
      auto refused = made_->invoke("none");
      with_details += refused.error().retry_after.count() > 0 ? 1 : 0;
      return refused;
    });
  }
  until_failure = -1;

  EXPECT_EQ(codes_[static_cast<std::size_t>(errc::throttled)], 200);
  EXPECT_GE(with_details, 60);
  expect_all_is_well();
}

// More than an engine keeps errors for; the last ones are shared.
TEST_P(no_memory_test, any_number_of_refusals_can_be_held) {
  set_up_engine();
  const std::string large(7 << 20, 'x');
  const auto refuse = [&](std::size_t i) {
    constexpr std::string_view names[] = {"none", "missing", "throws", "echo"};
    return made_->invoke(names[i % 4], i % 4 == 3 ? large : std::string_view());
  };
  constexpr errc codes[] = {errc::throttled, errc::not_found,
                            errc::function_threw, errc::event_too_large};
  std::vector<hotplate::outcome<hotplate::payload>> held;
  held.reserve(1'000);
  for (std::size_t i = 0; i < 4; ++i) (void)refuse(i);
  fail(0, true);
  while (held.size() < 1'000) held.push_back(refuse(held.size()));
  until_failure = -1;

  const auto after = refuse(0);
  EXPECT_EQ(after.error().function, "none");
  EXPECT_EQ(after.error().message,
            "function none is throttled: 0 of 0 concurrent invocations of "
            "this function are in flight");
  expect_all_is_well();
  made_.reset();
  for (std::size_t i = 0; i < held.size(); ++i) {
    ASSERT_EQ(held[i].code(), codes[i % 4]) << i;
    ASSERT_EQ(held[i].error().code, codes[i % 4]) << i;
    ASSERT_FALSE(held[i].error().message.empty()) << i;
  }
  EXPECT_EQ(held.back().error().message,
            "event_too_large: the host has no memory to say more");
}

TEST(no_memory_for_tenants_test, a_new_one_is_not_told_to_be_one_too_many) {
  hotplate::engine engine({.workers = 1, .max_concurrency_per_tenant = 9});
  const auto empty = engine.deploy("empty", [] {}, {.max_waiting = 9});
  const auto known = empty.with({.tenant = "known"});
  known().value();

  fail(0, true);
  const errc code = empty.with({.tenant = "new"})().code();
  const errc known_code = known().code();
  until_failure = -1;

  EXPECT_EQ(code, errc::resource_exhausted);
  EXPECT_EQ(known_code, errc::ok);
}

TEST(no_memory_at_the_end_test, an_engine_waits_for_its_handlers_all_the_same) {
  std::atomic<bool> started = false, ended = false;
  std::optional<hotplate::engine> engine;
  engine.emplace(hotplate::engine_config{.workers = 1});
  engine->deploy("a_name_that_takes_memory_if_it_is_copied", [&] {
    started = true;
    usleep(1'200'000);  // Named once a second.
    ended = true;
  });
  engine->invoke_async("a_name_that_takes_memory_if_it_is_copied").detach();
  while (!started) usleep(100);

  fail(0, true);
  engine.reset();
  until_failure = -1;

  EXPECT_TRUE(ended);
}

// Where a handler's worker has no memory to queue one, it has none for the
// next.
TEST(no_memory_for_chains_test, a_long_one_is_refused_link_by_link) {
  constexpr int links = 100'000;
  hotplate::engine engine({.workers = 1, .max_spare_threads = 0});
  const auto empty = engine.deploy("empty", [] {});
  std::promise<hotplate::continuation> handed;
  auto last = empty.async().then(
      [&](hotplate::continuation next) { handed.set_value(std::move(next)); },
      [](auto&&) {});
  for (int i = 0; i < links; ++i) last = last.then([](auto&&) {});
  hotplate::continuation first = handed.get_future().get();
  std::vector<hotplate::pending<void>> queued;
  queued.reserve(1'000);
  for (int i = 0; i < 1'000; ++i) queued.push_back(empty.async());
  for (auto& each : queued) (void)each.get();
  queued.clear();  // There are records for as many now.

  const auto handler =
      engine.deploy("handler",
                    [&] {
                      fail(0, true);
                      do {
                        queued.push_back(empty.async());
                      } while (!queued.back().ready() && queued.size() < 1'000);
                      first();
                      until_failure = -1;
                    },
                    {.stack_bytes = 32 * 1024});
  ASSERT_TRUE(handler());

  EXPECT_EQ(queued.back().get().code(), errc::resource_exhausted);
  EXPECT_EQ(last.get().code(), errc::resource_exhausted);
}

INSTANTIATE_TEST_SUITE_P(workers, no_memory_test, testing::Values(0, 1, 2));

}  // namespace
