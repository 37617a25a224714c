#include "plugin.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "hotplate/coroutine.hpp"
#include "hotplate/keep_alive.hpp"
#include "hotplate/send.hpp"
#include "hotplate/suspend.hpp"

#define PLUGIN_EXPORT extern "C" __attribute__((visibility("default")))

namespace {

using hotplate::context;
using hotplate::engine;
using std::chrono::microseconds;

std::atomic<int> instances, captures, made, retired;

/// Counts what handlers capture.
struct captured {
  captured() { ++captures; }
  captured(const captured&) { ++captures; }
  captured& operator=(const captured&) = delete;
  ~captured() { --captures; }
};

struct counter {
  explicit counter(hotplate::init_context& ctx) : name(ctx.function_name()) {
    ++instances;
    ++made;
  }
  counter(const counter&) = delete;
  counter& operator=(const counter&) = delete;
  ~counter() { --instances; }
  void on_retire(hotplate::retire_reason) noexcept { ++retired; }

  int operator()(context& ctx) {
    ctx.sleep_for(microseconds(50));
    return ++calls + (name.empty() ? 1'000 : 0);
  }
  std::string name;
  int calls = 0;
};

struct own_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct no_exception {
  std::string text;
};

/// The engine keeps what is of a type that is only known here.
struct own_policy : hotplate::keep_alive_policy {
  void on_invoke(hotplate::time_point, bool) noexcept override {}
  std::chrono::nanoseconds on_idle(hotplate::time_point) noexcept override {
    return std::chrono::seconds(100);
  }
  captured held;
};

detached sum_of_two(const count_function twice, int n,
                    hotplate::channel<int>& to) {
  auto [one, other] =
      co_await hotplate::when_all(twice.async(n), twice.async(n + 1));
  int sum = one.value() + other.value();
  to.try_send(sum);
}

// Not by std::to_string, which would keep this object loaded; nor is anything
// else of the standard library here that would (nm shows it as "u").
std::string digits(int n) {
  return std::string(hotplate::codec<int>::encode(n).text());
}

/// The functions that suspend, and invoke others.
void deploy_callers(engine& on, const std::string& own,
                    const std::string& other, count_function twice) {
  on.deploy(own + "_nested",
            [own, other, held = captured()](context& ctx, int depth) -> int {
              thread_local int on_this_thread = 0;
              const int before = ++on_this_thread;
              if (depth == 0) return before > 0 ? 0 : -1;
              ctx.yield();
              const auto next =
                  depth % 2 == 0 ? own + "_nested" : other + "_nested";
              const auto answer = ctx.invoke(next, digits(depth - 1));
              ctx.sleep_for(microseconds(20));
              return std::stoi(std::string(answer.value().text())) + 1;
            });
  on.deploy(own + "_pass_on", [&on, other](context& ctx) {
    try {
      on.invoke(other + "_throw", "1").value();
    } catch (const hotplate::bad_outcome& why) {
      ctx.sleep_for(microseconds(20));  // In a catch block.
      throw no_exception{why.what()};
    }
  });
  on.deploy(own + "_then", [twice, held = captured()](context&, int n) {
    auto doubled = twice.async(n).then(
        [held](hotplate::outcome<int> one) { return one.value() + 1; });
    twice.async(n).then([held](hotplate::outcome<int>) {}).detach();
    return doubled.get().value();
  });
  on.deploy(own + "_coroutine", [&on, twice](context&, int n) {
    hotplate::channel<int> answer(on, 1);
    sum_of_two(twice, n, answer);
    return answer.receive().value();
  });
  on.deploy(own + "_any", [twice](context&, int n) {
    std::vector<hotplate::pending<int>> several;
    for (int i = 0; i < 3; ++i) several.push_back(twice.async(n));
    return several[hotplate::wait_any(several)].get().value();
  });
  on.deploy(own + "_send", [&on, other](context&) {
    return on.send(other + "_count").value() > 0;
  });
}

void deploy_waiters(engine& on, const std::string& own) {
  on.deploy(own + "_lock",
            [permits = std::shared_ptr<hotplate::semaphore>(
                 new hotplate::semaphore(on, 1))](context& ctx, int n) {
              permits->acquire();
              ctx.yield();
              permits->release();
              return n;
            });
  on.deploy(own + "_throw", [](context& ctx, int kind) {
    ctx.sleep_for(microseconds(20));
    if (kind == 1) throw own_error("own error");
    if (kind == 2) throw no_exception{"none"};
  });
  on.deploy(own + "_long",
            [](context& ctx) { ctx.sleep_for(std::chrono::seconds(100)); });
  on.deploy(own + "_block",
            [](context& ctx, int n) {
              std::this_thread::sleep_for(microseconds(50));
              ctx.sleep_for(microseconds(50));
              return n;
            },
            {.blocking = true});
}

}  // namespace

PLUGIN_EXPORT plugin_functions* plugin_deploy(engine* on, const char* own_name,
                                              const char* other_name) {
  const std::string own = own_name, other = other_name;
  // Not by std::make_shared, which would keep this object loaded.
  const std::shared_ptr<hotplate::keep_alive_policy> policy(new own_policy);
  on->deploy<counter>(own + "_count",
                      {.keep_alive_by = policy, .provisioned = 1});
  auto twice =
      on->deploy(own + "_twice", [held = captured()](int n) { return 2 * n; });
  deploy_waiters(*on, own);
  deploy_callers(*on, own, other, twice);
  return new plugin_functions{
      twice, on->deploy(own + "_nasty",
                        [](const shared::nasty& all, std::string_view text,
                           unsigned char more, wchar_t) {
                          return all.size() + text.size() + more;
                        })};
}

PLUGIN_EXPORT hotplate::module_id plugin_this_module() {
  return hotplate::this_module();
}

PLUGIN_EXPORT void plugin_count(plugin_counts* into) {
  *into = {instances, captures, made, retired};
}

/// Never called: the object is checked for what would keep it loaded.
PLUGIN_EXPORT void plugin_make_engine() { const engine own({.workers = 1}); }
