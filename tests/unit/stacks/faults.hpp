#pragma once

#include <unistd.h>

#include <csignal>
#include <cstring>

#include "hotplate/base/assert.hpp"

inline struct sigaction action_now() {
  struct sigaction now = {};
  sigaction(SIGSEGV, nullptr, &now);
  return now;
}

inline void install(void (*handler)(int), int flags = 0) {
  struct sigaction own = {};
  own.sa_handler = handler;
  own.sa_flags = flags;
  sigaction(SIGSEGV, &own, nullptr);
}

inline void say(const char* words) {
  [[maybe_unused]] const auto written =
      write(STDERR_FILENO, words, std::strlen(words));
}

inline void hosts_own(int) {
  say("host was here\n");
  _exit(7);
}

// Each frame is 1 KiB that the compiler cannot leave out, nor the recursion.
HOTPLATE_NOINLINE inline int recurse(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  if (depth < 1) return frame[0];
  return recurse(depth - 1) + frame[0];
}

inline constexpr int without_end = 1 << 30;
