#pragma once

#include <cstddef>
#include <latch>
#include <thread>
#include <vector>

/// Calls body(0) to body(threads - 1), each in a thread of its own, from the
/// same moment on; returns once all have returned.
template <typename Body>
void together(std::size_t threads, const Body& body) {
  std::latch start(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& each : running) each.join();
}
