#pragma once

#include <chrono>

#include "hotplate/engine.hpp"

namespace demo {

/// Deploys what the demo runs. No function has a limit of its own below the
/// engine's `max_concurrency`.
void deploy_functions(hotplate::engine& engine, std::chrono::minutes keep_alive,
                      std::int64_t max_concurrency);

}  // namespace demo
