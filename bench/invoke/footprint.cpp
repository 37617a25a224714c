// Question: what does the engine hold and use while nothing happens?
// Unit: counters: resident bytes for each of many; ns of processor time and
//   wake-ups of all its threads; resident bytes before a burst and after.
// Left out: the kernel's own memory for mappings. Each is measured in a child
//   process, whose memory nobody has used before.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "hotplate/suspend.hpp"
#include "inside.hpp"

namespace {

using hotplate::context;
using namespace std::chrono_literals;

using figures = std::array<double, 2>;

/// What `measured` returns in a child. It dies with an exit status if a check
/// of its own fails.
template <typename Measured>
bool in_child(figures& result, const Measured& measured) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return false;
  const pid_t child = fork();
  if (child == 0) {
    const figures found = measured();
    _exit(write(ends[1], &found, sizeof found) == sizeof found ? 0 : 1);
  }
  close(ends[1]);
  const bool whole = read(ends[0], &result, sizeof result) == sizeof result;
  close(ends[0]);
  int status = -1;
  waitpid(child, &status, 0);
  return whole && status == 0;
}

template <typename Measured>
void report(benchmark::State& state, const char* first, const char* second,
            const Measured& measured) {
  figures found{};
  for (auto _ : state) {
    if (!in_child(found, measured)) state.SkipWithError("the child failed");
  }
  state.counters[first] = found[0];
  state.counters[second] = found[1];
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  statm >> pages >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

template <typename Done>
void wait_until(const Done& done) {
  while (!done()) std::this_thread::sleep_for(1ms);
}

std::uint64_t instances(const hotplate::engine& engine) {
  return engine.functions()[0].instances;
}

struct empty_state {
  void operator()(context&) {}
};

void idle_instance(benchmark::State& state) {
  const std::int64_t count = is_quick() ? 1'000 : 20'000;
  report(state, "bytes", "instances", [=] {
    hotplate::engine engine(two_workers());
    const auto deploy = [&](std::int64_t provisioned) {
      engine.deploy<empty_state>(
          "empty", {.max_concurrency = 1'000'000, .provisioned = provisioned});
      wait_until([&] {
        return instances(engine) == static_cast<std::uint64_t>(provisioned);
      });
    };
    deploy(1);
    const double before = resident_bytes();
    deploy(count);
    const double each =
        (resident_bytes() - before) / static_cast<double>(count);
    return figures{each, static_cast<double>(count)};
  });
}

/// Handlers that wait until they are let go, each on an instance of its own.
struct waiting_state {
  void operator()(context&) {
    ++*parked;
    end->acquire();
  }
  static inline std::atomic<std::int64_t>* parked = nullptr;
  static inline hotplate::semaphore* end = nullptr;
};

class burst {
 public:
  explicit burst(std::chrono::milliseconds keep_alive) {
    waiting_state::parked = &parked_;
    waiting_state::end = &end_;
    wait_ = engine_.deploy<waiting_state>("wait", {.timeout = 15min,
                                                   .max_concurrency = 1'000'000,
                                                   .keep_alive = keep_alive});
  }
  void park(std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) wait_.async().detach();
    wait_until([&] { return parked_ == count; });
  }
  void let_go() {
    for (; parked_ > 0; --parked_) end_.release();
    wait_until([&] { return engine_.stats().in_flight == 0; });
  }
  void wait_until_evicted() {
    wait_until([&] { return instances(engine_) == 0; });
  }

 private:
  std::atomic<std::int64_t> parked_ = 0;
  hotplate::engine engine_{two_workers()};
  hotplate::semaphore end_{engine_, 0};
  hotplate::function<void()> wait_ = engine_.deploy("none", [](context&) {});
};

void parked_fiber(benchmark::State& state) {
  const std::int64_t count = is_quick() ? 1'000 : 20'000;
  report(state, "bytes", "invocations", [=] {
    burst one(10min);
    one.park(1);
    one.let_go();
    const double before = resident_bytes();
    one.park(count);
    const double each =
        (resident_bytes() - before) / static_cast<double>(count);
    one.let_go();
    return figures{each, static_cast<double>(count)};
  });
}

// What has not started has a record, and neither fiber nor instance.
void waiting_invocation(benchmark::State& state) {
  const std::int64_t count = is_quick() ? 1'000 : 20'000;
  report(state, "bytes", "invocations", [=] {
    hotplate::engine engine(two_workers());
    hotplate::semaphore end(engine, 0);
    const auto one = engine.deploy(
        "one", [&](context&) { end.acquire(); },
        {.timeout = 15min, .max_concurrency = 1, .max_waiting = 1'000'000});
    one.async().detach();
    const double before = resident_bytes();
    for (std::int64_t i = 0; i < count; ++i) one.async().detach();
    const double each =
        (resident_bytes() - before) / static_cast<double>(count);
    for (std::int64_t i = 0; i <= count; ++i) end.release();
    wait_until([&] { return engine.stats().in_flight == 0; });
    return figures{each, static_cast<double>(count)};
  });
}

void after_burst(benchmark::State& state) {
  const std::int64_t count = is_quick() ? 1'000 : 100'000;
  report(state, "before_bytes", "after_bytes", [=] {
    burst one(100ms);
    const auto come_and_go = [&](std::int64_t invocations) {
      one.park(invocations);
      one.let_go();
      one.wait_until_evicted();
      std::this_thread::sleep_for(1s);
      return resident_bytes();
    };
    const double before = come_and_go(1);
    return figures{before, come_and_go(count)};
  });
}

/// Context switches so far of all threads but the caller's: each wake-up is
/// one.
double switches_of_others() {
  const std::string own = std::to_string(gettid());
  double sum = 0;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/self/task")) {
    if (thread.path().filename() == own) continue;
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.find("ctxt_switches:") == std::string::npos) continue;
      sum += std::stod(line.substr(line.find(':') + 1));
    }
  }
  return sum;
}

double cpu_ns(int whose) {
  rusage used{};
  getrusage(whose, &used);
  const auto in_ns = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e9 +
           static_cast<double>(time.tv_usec) * 1e3;
  };
  return in_ns(used.ru_utime) + in_ns(used.ru_stime);
}

double cpu_of_others() { return cpu_ns(RUSAGE_SELF) - cpu_ns(RUSAGE_THREAD); }

void idle_engine(benchmark::State& state) {
  const auto idle = is_quick() ? 100ms : 10'000ms;
  report(state, "cpu_ns", "wake_ups", [=] {
    hotplate::engine engine(two_workers());
    const auto call = engine.deploy<empty_state>("empty");
    static_cast<void>(call());
    std::this_thread::sleep_for(1'500ms);  // It is idle after a second at most.
    const double cpu = cpu_of_others();
    const double switches = switches_of_others();
    std::this_thread::sleep_for(idle);
    return figures{cpu_of_others() - cpu, switches_of_others() - switches};
  });
}

void once(benchmark::internal::Benchmark* one) {
  one->Iterations(1)->Repetitions(1)->UseRealTime();
}

BENCHMARK(idle_instance)->Name("footprint/idle_instance")->Apply(once);
BENCHMARK(parked_fiber)->Name("footprint/parked_fiber")->Apply(once);
BENCHMARK(waiting_invocation)
    ->Name("footprint/waiting_invocation")
    ->Apply(once);
BENCHMARK(idle_engine)->Name("footprint/idle_engine")->Apply(once);
BENCHMARK(after_burst)->Name("footprint/after_burst")->Apply(once);

}  // namespace
