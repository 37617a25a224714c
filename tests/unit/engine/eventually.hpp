#pragma once

#include <chrono>
#include <thread>

/// Looks every millisecond; false if it has not become true within 20 s.
template <typename Condition>
bool becomes_true(const Condition& condition) {
  using std::chrono::steady_clock;
  const auto until = steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}
