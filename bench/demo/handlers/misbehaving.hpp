#pragma once

#include "hotplate/context.hpp"

namespace demo {

/// Computes past its timeout without suspending; asks now and then whether
/// anybody still waits, and so ends a little later, as an overrun.
void too_slow(hotplate::context& ctx);

/// Takes memory until its limit ends it.
void too_greedy(hotplate::context& ctx);

/// Throws.
void faulty(hotplate::context& ctx);

}  // namespace demo
