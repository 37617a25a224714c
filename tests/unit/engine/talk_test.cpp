#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::bad_config;
using hotplate::context;
using hotplate::errc;
using hotplate::log_level;
using std::chrono::milliseconds;
using std::chrono::seconds;

class listener final : public hotplate::log_sink {
 public:
  void on_log(const hotplate::log_line& line) noexcept override {
    const std::lock_guard hold(mutex_);
    lines_.push_back(std::string(line.function) + " " +
                     std::string(to_string(line.level)) + " " +
                     std::string(line.text));
    last_ = line.id;
  }
  std::vector<std::string> lines() {
    const std::lock_guard hold(mutex_);
    return lines_;
  }
  hotplate::request_id last() {
    const std::lock_guard hold(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  hotplate::request_id last_;
};

class talk_test : public testing::TestWithParam<int> {
 protected:
  listener heard_;
  hotplate::engine engine_{{.workers = GetParam(), .logs = &heard_}};
};

TEST_P(talk_test, a_line_names_its_function_and_invocation) {
  const auto talk = engine_.deploy("talk", [](context& ctx, int n) {
    ctx.log(log_level::warning, "{} of {}", n, "many");
  });

  const auto outcome = talk(3);

  EXPECT_EQ(heard_.lines(), std::vector<std::string>{"talk warning 3 of many"});
  EXPECT_EQ(heard_.last(), outcome.usage().id);
}

TEST_P(talk_test, what_is_below_the_least_level_is_not_heard) {
  const auto talk = engine_.deploy("talk", [](context& ctx) {
    ctx.log(log_level::debug, "not this");
    ctx.log(log_level::info, "this");
  });

  talk().value();

  EXPECT_EQ(heard_.lines(), std::vector<std::string>{"talk info this"});
}

TEST_P(talk_test, an_outcome_keeps_the_log_only_where_that_was_asked_for) {
  const auto talk = engine_.deploy("talk", [](context& ctx, std::string name) {
    ctx.log(log_level::debug, "hello {}", name);
    return name;
  });

  const auto kept = talk.with({.keep_log = true})("Ada");
  const auto plain = talk("Ada");

  EXPECT_EQ(kept.value(), "Ada");
  EXPECT_EQ(kept.log(), "debug: hello Ada\n");
  EXPECT_EQ(plain.log(), "");
}

TEST_P(talk_test, a_failure_keeps_its_log_too) {
  const auto faulty = engine_.deploy("faulty", [](context& ctx) {
    ctx.log(log_level::error, "no account");
    throw std::domain_error("unknown");
  });

  const auto outcome = faulty.with({.keep_log = true})();

  EXPECT_EQ(outcome.code(), errc::function_threw);
  EXPECT_EQ(outcome.log(), "error: no account\n");
}

TEST_P(talk_test, the_last_four_kilobytes_are_kept) {
  const auto talk = engine_.deploy("talk", [](context& ctx) {
    for (int i = 0; i < 1000; ++i) ctx.log(log_level::info, "line {}", i);
    ctx.log(log_level::info, "{}", std::string(10'000, 'x'));
    ctx.log(log_level::info, "last");
  });

  const auto outcome = talk.with({.keep_log = true})();

  EXPECT_EQ(outcome.log().size(), 4096U);
  EXPECT_TRUE(outcome.log().ends_with("xxx\ninfo: last\n"));
  EXPECT_EQ(heard_.lines()[1000].size(), hotplate::longest_log_line + 10);
}

TEST_P(talk_test, instances_and_handlers_read_the_environment) {
  struct greeter {
    explicit greeter(hotplate::init_context& ctx)
        : greeting(ctx.environment("GREETING")) {}
    std::string operator()(context& ctx) const {
      return greeting + ctx.environment("NAME").data() +
             std::string(ctx.environment("MARK", "!"));
    }
    std::string greeting;
  };
  const auto greet = engine_.deploy<greeter>(
      "greet", {.environment = {{"GREETING", "Hi "}, {"NAME", "Ada"}}});

  EXPECT_EQ(greet().value(), "Hi Ada!");
}

TEST_P(talk_test, an_environment_has_its_limits) {
  const auto empty = [](context&) {};
  engine_.deploy("e", empty, {.environment = {{"A", std::string(4095, 'x')}}});

  EXPECT_THROW(engine_.deploy("e", empty, {.environment = {{"", "x"}}}),
               bad_config);
  EXPECT_THROW(engine_.deploy("e", empty,
                              {.environment = {{"A", std::string(4096, 'x')}}}),
               bad_config);
}

TEST_P(talk_test, a_stop_token_tells_a_computing_handler_of_its_timeout) {
  const auto busy = engine_.deploy("busy",
                                   [](context& ctx) {
                                     const auto stop = ctx.stop_token();
                                     while (!stop.stop_requested()) {
                                     }
                                   },
                                   {.timeout = milliseconds(20)});

  EXPECT_EQ(busy().code(), errc::timed_out);
  EXPECT_TRUE(engine_.drain(seconds(10)).running.empty());
}

TEST_P(talk_test, a_stop_token_is_not_stopped_by_a_good_end) {
  std::stop_token seen;
  const auto good =
      engine_.deploy("good", [&](context& ctx) { seen = ctx.stop_token(); });

  good().value();

  EXPECT_FALSE(seen.stop_requested());
}

TEST_P(talk_test, a_callers_stop_token_cancels_its_blocking_call) {
  const auto sleep =
      engine_.deploy("sleep", [](context& ctx) { ctx.sleep_for(seconds(60)); },
                     {.timeout = seconds(90)});
  std::stop_source source;
  std::thread stopper([&] {
    while (engine_.stats().in_flight == 0) std::this_thread::yield();
    source.request_stop();
  });

  const auto stopped = sleep.with({.stop = source.get_token()})();

  stopper.join();
  EXPECT_EQ(stopped.code(), errc::cancelled);
}

TEST_P(talk_test, a_call_whose_caller_has_stopped_already_does_not_run) {
  std::atomic<int> ran = 0;
  const auto touch = engine_.deploy("touch", [&](context&) { ++ran; });
  std::stop_source source;
  source.request_stop();

  const auto stopped = touch.with({.stop = source.get_token()})();

  EXPECT_EQ(stopped.code(), errc::cancelled);
  EXPECT_EQ(ran, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, talk_test, testing::Values(1, 2, 4));

}  // namespace
