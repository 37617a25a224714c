#include "demo/handlers/misbehaving.hpp"

#include <stdexcept>

namespace demo {

namespace {

// Stands for work that cannot be interrupted.
void compute(hotplate::context& ctx, std::chrono::milliseconds time) {
  const auto end = ctx.now() + time;
  while (ctx.now() < end) {
  }
}

}  // namespace

void too_slow(hotplate::context& ctx) {
  while (!ctx.cancelled()) compute(ctx, std::chrono::milliseconds(3));
}

void too_greedy(hotplate::context& ctx) {
  for (;;) ctx.arena().allocate(1 << 20);
}

void faulty(hotplate::context& ctx) {
  throw std::domain_error("tenant \"" + std::string(ctx.tenant()) +
                          "\" has no account");
}

}  // namespace demo
