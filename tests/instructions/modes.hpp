#pragma once

#include "hotplate/engine.hpp"

// The modes that need more than one invocation at a time, or a thread that runs
// them itself. In a file of their own: what the compiler inlines depends on
// what else is in a file, which would change the other modes' counts.

/// Called by a thread of the host's, which runs it itself.
bool here(int count);
/// Started by a handler, 500 at a time, which takes no outcome; then the host
/// pumps until all have ended.
bool async(hotplate::engine& engine, int count);
/// Called by a handler, 1,000 at a time, all of which it waits for.
bool fan_out(hotplate::engine& engine, int count);
