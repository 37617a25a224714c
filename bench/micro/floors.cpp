// Question: what do the parts cost that no invocation can do without?
// Unit: ns an operation; memcpy: ns a copy of so many bytes.
// Left out: what a miss, a branch or a lock adds when others are at work too.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <new>
#include <numeric>
#include <random>
#include <vector>

#include "hotplate/base/clock_source.hpp"
#include "hotplate/metering/histogram.hpp"
#include "hotplate/sched/fiber.hpp"

namespace {

using hotplate::detail::fiber;
using hotplate::detail::stack_pool;

/// A fiber that leaves again as soon as it is reached.
class echo {
 public:
  echo() {
    thread_.adopt_thread();
    const auto stack_class = stack_pool::class_of(64 * 1024);
    const auto stack = stacks_.make(stack_class);
    const std::size_t reserved = (sizeof(inner) + 63) / 64 * 64;
    fiber_ = new (stack.bottom + stack.size - reserved)
        inner(stack, stack_class, *this);
  }
  echo(const echo&) = delete;
  echo& operator=(const echo&) = delete;
  ~echo() { fiber_->~inner(); }

  void there_and_back() { thread_.switch_to(*fiber_); }
  std::int64_t times = 0;

 private:
  struct inner : fiber {
    inner(const hotplate::detail::stack_memory& stack, std::uint8_t stack_class,
          echo& of)
        : fiber(stack, stack_class, &answer), owner(of) {}
    echo& owner;
  };
  static void answer(fiber& self) {
    echo& owner = static_cast<inner&>(self).owner;
    for (;;) {
      ++owner.times;
      self.switch_here(owner.thread_);
    }
  }

  stack_pool stacks_;
  fiber thread_;
  inner* fiber_ = nullptr;
};

void two_switches(benchmark::State& state) {
  echo other;
  for (auto _ : state) other.there_and_back();
  if (other.times != state.iterations()) state.SkipWithError("a switch lost");
}

// As the engine reads it.
void clock_read(benchmark::State& state) {
  const hotplate::detail::clock_source clock(nullptr);
  for (auto _ : state) benchmark::DoNotOptimize(clock.now());
}

void steady_clock_read(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(std::chrono::steady_clock::now());
  }
}

void atomic_add(benchmark::State& state) {
  alignas(64) std::atomic<std::int64_t> count = 0;
  for (auto _ : state) count.fetch_add(1, std::memory_order_seq_cst);
  if (count != state.iterations()) state.SkipWithError("a count lost");
}

// Kept in memory, as a counter that others may read is.
void private_counter(benchmark::State& state) {
  alignas(64) std::atomic<std::int64_t> count = 0;
  for (auto _ : state) {
    count.store(count.load(std::memory_order_relaxed) + 1,
                std::memory_order_relaxed);
  }
  if (count != state.iterations()) state.SkipWithError("a count lost");
}

// A chain through four times the 32 MiB of a large last-level cache, in random
// order (Sattolo's, one cycle): nothing can be fetched before it is known.
struct alignas(64) link {
  std::uint32_t next;
};

std::vector<link> make_chain(std::size_t links) {
  std::vector<std::uint32_t> order(links);
  std::iota(order.begin(), order.end(), 0U);
  std::mt19937_64 random(1);
  for (std::size_t i = links - 1; i > 0; --i) {
    std::swap(order[i], order[random() % i]);
  }
  std::vector<link> chain(links);
  for (std::size_t i = 0; i < links; ++i) chain[i].next = order[i];
  return chain;
}

void cache_miss(benchmark::State& state) {
  static const std::vector<link> chain = make_chain((128U << 20) / 64);
  std::uint32_t at = 0;
  for (auto _ : state) at = chain[at].next;
  benchmark::DoNotOptimize(at);
}

void histogram_record(benchmark::State& state) {
  hotplate::detail::histogram times;
  std::uint64_t value = 100;
  for (auto _ : state) {
    times.record(value);
    value = 100 + (value * 5 + 1) % 1024;
  }
}

void copy(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::vector<char> from(size, 'x');
  std::vector<char> to(size);
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), size);
    benchmark::ClobberMemory();
  }
  if (to != from) state.SkipWithError("a wrong copy");
}

BENCHMARK(two_switches)->Name("floor/two_switches")->UseRealTime();
BENCHMARK(clock_read)->Name("floor/clock_read")->UseRealTime();
BENCHMARK(steady_clock_read)->Name("floor/steady_clock_read")->UseRealTime();
BENCHMARK(atomic_add)->Name("floor/atomic_add")->UseRealTime();
BENCHMARK(private_counter)->Name("floor/private_counter")->UseRealTime();
BENCHMARK(cache_miss)->Name("floor/cache_miss")->UseRealTime();
BENCHMARK(histogram_record)->Name("floor/histogram_record")->UseRealTime();
BENCHMARK(copy)
    ->Name("floor/memcpy")
    ->Args({1 << 10})
    ->Args({64 << 10})
    ->Args({1 << 20})
    ->Args({6 << 20})
    ->UseRealTime();

}  // namespace
