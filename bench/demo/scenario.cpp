#include "demo/scenario.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <thread>

#include "demo/functions.hpp"
#include "demo/jobs.hpp"
#include "demo/progress.hpp"
#include "hotplate/engine.hpp"

namespace demo {

namespace {

// A pipeline has two further invocations in flight.
std::int64_t engine_limit(const options& chosen) {
  return 3 * static_cast<std::int64_t>(chosen.concurrency) + 100;
}

void check(const job& task, std::size_t event,
           const hotplate::outcome<hotplate::payload>& answer) {
  if (!answer) {
    throw wrong_answer(fmt::format("{}: {}: {}", task.function,
                                   to_string(answer.code()),
                                   answer.error().message));
  }
  task.check(event, answer.value());
}

class host {
 public:
  host(const options& chosen, std::vector<hotplate::meter*> meters)
      : chosen_(chosen),
        engine_({.workers = chosen.workers,
                 .max_concurrency = engine_limit(chosen),
                 .meters = std::move(meters)}) {
    deploy_functions(engine_, chosen.keep_alive, engine_limit(chosen));
  }

  void run(const job& task) {
    progress shown(fmt::format("{:<10}", task.function));
    const std::size_t at_once =
        std::max(4 * chosen_.concurrency, task.events.size());
    std::size_t done = 0;
    const auto tell = [&] {
      shown.show(static_cast<double>(++done) /
                 static_cast<double>(1 + chosen_.rounds + at_once));
    };
    // The first is cold.
    for (std::size_t round = 0; round <= chosen_.rounds; ++round) {
      const std::size_t event = round % task.events.size();
      check(task, event, invoke(task, event));
      tell();
    }
    run_at_once(task, at_once, tell);
  }

  void run_misbehaving(const std::string& function, hotplate::errc expected) {
    for (int i = 0; i < 3; ++i) {
      const auto failed = engine_.invoke(function, {}, {.tenant = "acme"});
      if (failed.code() == expected) continue;
      throw wrong_answer(fmt::format("{}: ended {}, not {}", function,
                                     to_string(failed.code()),
                                     to_string(expected)));
    }
  }

  // Overruns end a little after their callers were answered.
  void finish() { engine_.drain(std::chrono::seconds(10)); }

  const hotplate::engine& engine() const { return engine_; }

 private:
  hotplate::outcome<hotplate::payload> invoke(const job& task,
                                              std::size_t event) {
    return engine_.invoke(task.function, task.events[event]);
  }

  // `concurrency` of them in flight.
  void run_at_once(const job& task, std::size_t count,
                   const std::function<void()>& tell) {
    std::deque<hotplate::pending<hotplate::payload>> window;
    std::size_t started = 0;
    for (std::size_t ended = 0; ended < count; ++ended) {
      for (; started < count && window.size() < chosen_.concurrency;
           ++started) {
        window.push_back(engine_.invoke_async(
            task.function, task.events[started % task.events.size()]));
      }
      check(task, ended % task.events.size(), window.front().get());
      window.pop_front();
      tell();
    }
  }

  const options& chosen_;
  hotplate::engine engine_;
};

int worker_count(int chosen) {
  if (chosen != hotplate::engine_config::hardware_threads) return chosen;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

work_result run_work(const work_input& input, const options& chosen) {
  const auto start = std::chrono::steady_clock::now();
  notable_log notable;
  hotplate::ledger ledger(hotplate::price_books::all());
  host embedding(chosen, {&notable, &ledger});

  work_result result;
  for (const job& task : {count_words(input.texts), compress_texts(input.texts),
                          make_thumbnails(input.picture),
                          sum_orders(chosen.seed), run_pipeline(input.texts)}) {
    embedding.run(task);
    result.done.emplace_back(task.function, task.summary());
  }
  embedding.run_misbehaving("too_slow", hotplate::errc::timed_out);
  embedding.run_misbehaving("too_greedy", hotplate::errc::out_of_memory);
  embedding.run_misbehaving("faulty", hotplate::errc::function_threw);
  embedding.finish();

  result.notable = notable.entries();
  result.functions = embedding.engine().functions();
  result.engine = embedding.engine().stats();
  result.bills = ledger.bills();
  result.full_bills = ledger.bills(false);
  result.workers = worker_count(chosen.workers);
  result.wall = std::chrono::steady_clock::now() - start;
  return result;
}

}  // namespace demo
