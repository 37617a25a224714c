#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include "hotplate/send.hpp"
#include "together.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::event_id;
using std::chrono::milliseconds;
using std::chrono::seconds;

// An event is a number: so many times its handler fails.
class send_stress_test : public testing::TestWithParam<int> {
 protected:
  static constexpr std::size_t senders = 3;
  static constexpr int rounds = 600;

  void deploy(hotplate::engine& engine, std::int64_t most = 1'000) {
    engine.deploy(
        "flaky",
        [this](context& ctx, int failures) {
          ++ran_;
          if (static_cast<int>(ctx.usage_so_far().attempt) <= failures) {
            throw std::runtime_error("no luck");
          }
        },
        {.max_concurrency = most,
         .retry = {.first_backoff = milliseconds(1),
                   .longest_backoff = milliseconds(2)}});
  }

  static void wait_until_idle(hotplate::engine& engine) {
    while (engine.stats().events.queued > 0) {
      engine.poll();
      std::this_thread::yield();
    }
  }

  std::atomic<int> ran_ = 0;
};

TEST_P(send_stress_test, every_event_succeeds_or_dies_after_its_attempts) {
  hotplate::engine engine({.workers = GetParam()});
  deploy(engine);

  together(senders, [&](std::size_t) {
    for (int i = 0; i < rounds; ++i) {
      EXPECT_TRUE(engine.send("flaky", std::to_string(i % 4)));
    }
  });
  wait_until_idle(engine);

  // Of four, one fails three times and is dead; they are called 1, 2, 3 and 3
  // times.
  constexpr unsigned events = senders * rounds;
  const auto stats = engine.stats().events;
  EXPECT_EQ(stats.succeeded, events / 4 * 3);
  EXPECT_EQ(stats.failed, events / 4);
  EXPECT_EQ(engine.dead_letters().size(), events / 4);
  EXPECT_EQ(stats.retried, events / 4 * (0 + 1 + 2 + 2));
  EXPECT_EQ(ran_, static_cast<int>(events / 4 * 9));
  EXPECT_EQ(engine.functions()[0].invocations() -
                engine.functions()[0].count(errc::throttled),
            events / 4 * 9);
}

// Few: each is tried again every other millisecond.
TEST_P(send_stress_test, throttled_events_all_get_through) {
  constexpr int events = 50;
  hotplate::engine engine({.workers = GetParam()});
  deploy(engine, 4);

  together(senders, [&](std::size_t) {
    for (int i = 0; i < events; ++i) EXPECT_TRUE(engine.send("flaky", "0"));
  });
  wait_until_idle(engine);

  EXPECT_EQ(ran_, static_cast<int>(senders) * events);
  EXPECT_EQ(engine.stats().events.succeeded, senders * events);
  // Host-pumped, all are sent before the first one runs.
  if (GetParam() == 0) {
    EXPECT_GT(engine.stats().events.postponed, 0U);
  }
}

TEST_P(send_stress_test, a_key_is_accepted_by_one_of_those_who_send_it) {
  hotplate::engine engine({.workers = GetParam()});
  deploy(engine);
  std::array<std::array<event_id, rounds>, senders> ids{};

  together(senders, [&](std::size_t thread) {
    for (int i = 0; i < rounds; ++i) {
      ids[thread][static_cast<std::size_t>(i)] =
          engine.send("flaky", "0", {.key = std::to_string(i)}).value();
    }
  });
  wait_until_idle(engine);

  EXPECT_EQ(ran_, rounds);
  for (const auto& each : ids) EXPECT_EQ(each, ids[0]);
}

// What was accepted is known for good afterwards, however much of it had run.
TEST_P(send_stress_test, draining_meets_sending_and_replaying) {
  constexpr std::uint64_t enough = 60;
  for (int i = 0; i < 20; ++i) {
    std::atomic<std::uint64_t> accepted = 0;
    hotplate::engine engine({.workers = GetParam()});
    deploy(engine);
    together(senders + 1, [&](std::size_t thread) {
      if (thread == senders) {
        while (accepted < enough / 2) engine.poll();
        engine.drain(seconds(60));
        return;
      }
      for (std::uint64_t n = 0; n < enough; ++n) {
        if (engine.send("flaky", "3")) ++accepted;
        const auto letters = engine.dead_letters();
        if (!letters.empty()) (void)engine.replay(letters.front().id);
      }
    });
    // One may have been accepted while the engine drained.
    engine.drain(seconds(60));

    const auto stats = engine.stats().events;
    EXPECT_EQ(stats.sent, accepted);
    EXPECT_EQ(stats.queued, 0);
    EXPECT_EQ(stats.succeeded, 0U);
    EXPECT_EQ(stats.failed, accepted + stats.replayed);
    EXPECT_EQ(engine.dead_letters().size(), accepted);
  }
}

TEST_P(send_stress_test, an_engine_may_end_with_events_in_any_state) {
  for (int i = 0; i < 50; ++i) {
    hotplate::engine engine({.workers = GetParam()});
    deploy(engine, 2);
    together(senders, [&](std::size_t) {
      for (int n = 0; n < i; ++n) (void)engine.send("flaky", "2");
    });
    for (int n = 0; n < i; ++n) engine.poll();
  }
}

INSTANTIATE_TEST_SUITE_P(workers, send_stress_test,
                         testing::Values(0, 1, 2, 4));

}  // namespace
