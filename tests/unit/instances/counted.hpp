#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "hotplate/engine.hpp"

/// What the instances of one test have done; outlives their engine.
struct instance_counts {
  std::atomic<int> made = 0;
  std::atomic<int> copied = 0;
  std::atomic<int> destroyed = 0;
  std::array<std::atomic<int>, hotplate::retire_reason_count> retired{};

  int retired_for(hotplate::retire_reason why) const {
    return retired[static_cast<std::size_t>(why)];
  }
  int retired_in_all() const {
    int sum = 0;
    for (const auto& each : retired) sum += each;
    return sum;
  }
  int alive() const { return made + copied - destroyed; }
};

/// The state of an instance whose life is counted. `Tag` tells the tests'
/// classes apart, because a class finds its counts in a static of its own.
template <typename Tag>
struct counted {
  static inline instance_counts* counts = nullptr;

  counted() { ++counts->made; }
  counted(const counted&) { ++counts->copied; }
  ~counted() { ++counts->destroyed; }
  void on_retire(hotplate::retire_reason why) noexcept {
    ++counts->retired[static_cast<std::size_t>(why)];
  }
};

/// Waits, pumping or letting the workers go on, for at most ten seconds.
template <typename Condition>
bool eventually(hotplate::engine& engine, const Condition& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    if (engine.poll() == 0) std::this_thread::yield();
  }
  return true;
}
