#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/resource.h>

#include <atomic>
#include <cerrno>
#include <string>
#include <system_error>
#include <thread>

#include "../engine/eventually.hpp"
#include "hotplate/engine.hpp"

// P10, a program of its own: it takes the place of pthread_create, and makes
// the process run out of descriptors.

namespace {

// Threads that may still be had; -1: any number.
std::atomic<int> threads_left = -1;

}  // namespace

extern "C" int pthread_create(pthread_t* made, const pthread_attr_t* how,
                              void* (*main)(void*), void* argument) noexcept {
  using function =
      int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto real =
      reinterpret_cast<function>(dlsym(RTLD_NEXT, "pthread_create"));
  int left = threads_left;
  while (left > 0 && !threads_left.compare_exchange_weak(left, left - 1)) {
  }
  return left == 0 ? EAGAIN : real(made, how, main, argument);
}

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

class no_thread_test : public testing::Test {
 protected:
  ~no_thread_test() override { threads_left = -1; }
};

TEST_F(no_thread_test, an_engine_that_gets_too_few_is_none) {
  for (int left = 0; left < 4; ++left) {
    threads_left = left;
    EXPECT_THROW(engine refused({.workers = 3}), std::system_error) << left;
  }
  threads_left = 4;  // With the one that looks after time.
  engine made({.workers = 3});
  EXPECT_EQ(made.deploy("one", [](context&) { return 1; })().value(), 1);
}

TEST_F(no_thread_test, a_blocking_function_is_refused_and_the_rest_works) {
  engine on({.workers = 1});
  const auto plain = on.deploy("plain", [](context&) { return 1; });
  const auto blocking =
      on.deploy("blocking", [](context&) { return 2; }, {.blocking = true});
  threads_left = 0;

  const auto refused = blocking();

  ASSERT_EQ(refused.code(), errc::resource_exhausted);
  EXPECT_EQ(refused.error().function, "blocking");
  EXPECT_THAT(refused.error().message, HasSubstr("no thread for"));
  EXPECT_EQ(plain().value(), 1);
  EXPECT_EQ(on.stats().in_flight, 0);
  threads_left = -1;
  EXPECT_EQ(blocking().value(), 2);
}

TEST_F(no_thread_test, without_a_spare_thread_callers_hear_of_their_timeout) {
  engine on({.workers = 1});
  std::atomic<bool> stop = false;
  const auto hog = on.deploy("hog",
                             [&](context&) {
                               while (!stop) std::this_thread::yield();
                             },
                             {.timeout = milliseconds(10)});
  const auto quick =
      on.deploy("quick", [](context&) {}, {.timeout = milliseconds(100)});
  threads_left = 0;

  EXPECT_EQ(hog().code(), errc::timed_out);
  EXPECT_EQ(quick().code(), errc::timed_out);
  EXPECT_EQ(on.stats().spare_threads, 0U);
  threads_left = -1;
  EXPECT_TRUE(becomes_true([&] { return quick().has_value(); }))
      << "a spare one is had again";
  stop = true;
}

// As if the host had used up its descriptors.
class no_descriptor_test : public testing::Test {
 protected:
  no_descriptor_test() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~no_descriptor_test() override { setrlimit(RLIMIT_NOFILE, &before_); }

  rlimit before_{};
};

TEST_F(no_descriptor_test, everything_but_seeing_who_blocks_works) {
  engine on({.workers = 1});
  std::atomic<bool> stop = false;
  const auto hog = on.deploy("hog",
                             [&](context&) {
                               while (!stop) std::this_thread::yield();
                             },
                             {.timeout = milliseconds(10)});
  const auto plain = on.deploy("plain", [](context& ctx) {
    ctx.sleep_for(milliseconds(1));
    return 1;
  });
  const auto blocking =
      on.deploy("blocking", [](context&) { return 2; }, {.blocking = true});

  EXPECT_EQ(plain().value(), 1);
  EXPECT_EQ(blocking().value(), 2);
  EXPECT_EQ(hog().code(), errc::timed_out);
  EXPECT_EQ(plain().value(), 1) << "on a spare thread";
  stop = true;
}

}  // namespace
