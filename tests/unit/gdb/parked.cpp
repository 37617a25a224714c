// Handlers that stand still where gdb_test.py looks for them.
// parked workers|pumped: calls all_stand_still(), and then aborts.

#include <hotplate/hotplate.hpp>
#include <hotplate/suspend.hpp>

#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using hotplate::context;
using hotplate::invocation_state;
using std::chrono::minutes;

// Opaque, so that what is read before a wait must be kept until after it.
volatile int source = 0;

[[gnu::noinline]] int innermost_nap(context& ctx, int depth) {
  const int secret = source + 1000 * depth + 7;
  ctx.sleep_for(minutes(10));
  source = secret;
  return secret + depth;
}

[[gnu::noinline]] int middle_nap(context& ctx, int depth) {
  const int kept = source + 2 * depth;
  return innermost_nap(ctx, depth + 1) + kept;
}

[[gnu::noinline]] int wait_for_permit(hotplate::semaphore& gate, int wanted) {
  gate.acquire();
  return wanted + source;
}

template <typename Pending>
[[gnu::noinline]] int wait_for_result(Pending& started, int bonus) {
  return started.get().value() + bonus;
}

template <typename Function>
[[gnu::noinline]] int call_and_wait(const Function& child, int first) {
  const int before = source + 40 + first;
  return child(first).value() + before;
}

[[gnu::noinline]] void keep_busy(context& ctx) {
  while (source >= 0 && !ctx.cancelled()) std::this_thread::yield();
}

struct kitchen {
  explicit kitchen(int workers)
      : engine({.workers = workers, .name = "kitchen"}) {}

  void park() {
    all.push_back(nap.async(3));
    all.push_back(permit.async(5));
    all.push_back(result.async(8));  // Which calls `nap`, as `outer` does.
    wait_for(4, invocation_state::suspended);
    all.push_back(outer.async(2));
    wait_for(6, invocation_state::suspended);
    others.push_back(busy.async());
    if (engine.describe().workers == 0) return;  // Queued, for nobody pumps.
    wait_for(1, invocation_state::running);
    all.push_back(on_thread.async(1));
    wait_for(7, invocation_state::suspended);
  }

  void wait_for(std::size_t wanted, invocation_state state) {
    for (std::size_t seen = 0; seen != wanted; std::this_thread::yield()) {
      engine.poll();
      seen = 0;
      for (const auto& each : engine.in_flight()) seen += each.state == state;
    }
  }

  inline static const hotplate::function_config patient{.timeout = minutes(15)};

  hotplate::engine engine;
  hotplate::semaphore gate{engine, 0};
  hotplate::function<int(int)> nap = engine.deploy(
      "nap", [](context& ctx, int depth) { return middle_nap(ctx, depth); },
      patient);
  hotplate::function<int(int)> permit = engine.deploy(
      "permit", [this](int wanted) { return wait_for_permit(gate, wanted); },
      patient);
  hotplate::function<int(int)> result = engine.deploy(
      "result",
      [this](int bonus) {
        auto started = nap.async(bonus);
        return wait_for_result(started, bonus);
      },
      patient);
  hotplate::function<int(int)> outer = engine.deploy(
      "outer", [this](int first) { return call_and_wait(nap, first); },
      patient);
  hotplate::function<void()> busy = engine.deploy("busy", &keep_busy, patient);
  hotplate::function<int(int)> on_thread = engine.deploy(
      "on_thread",
      [](context& ctx, int depth) { return middle_nap(ctx, depth); },
      {.timeout = minutes(15), .blocking = true});
  std::vector<hotplate::pending<int>> all;
  std::vector<hotplate::pending<void>> others;
};

}  // namespace

extern "C" [[gnu::noinline]] void all_stand_still() { source = source + 1; }

int main(int, char** arguments) {
  const bool pumped = std::string_view(arguments[1]) == "pumped";
  kitchen open(pumped ? 0 : 2);
  open.park();
  all_stand_still();
  std::abort();
}
