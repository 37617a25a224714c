#pragma once

// Everything but the optional parts: hotplate/json.hpp.
#include "hotplate/arena.hpp"
#include "hotplate/billing.hpp"
#include "hotplate/clock.hpp"
#include "hotplate/codec.hpp"
#include "hotplate/config.hpp"
#include "hotplate/context.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/error.hpp"
#include "hotplate/function.hpp"
#include "hotplate/meter.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/payload.hpp"
#include "hotplate/pending.hpp"
#include "hotplate/stats.hpp"
#include "hotplate/usage.hpp"
#include "hotplate/version.hpp"
