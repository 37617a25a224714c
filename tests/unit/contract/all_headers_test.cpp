// Every public header in one file: no two may claim the same name.
#include <gtest/gtest.h>

#include "hotplate/alias.hpp"
#include "hotplate/arena.hpp"
#include "hotplate/batched_meter.hpp"
#include "hotplate/billing.hpp"
#include "hotplate/channel.hpp"
#include "hotplate/charges.hpp"
#include "hotplate/clock.hpp"
#include "hotplate/codec.hpp"
#include "hotplate/config.hpp"
#include "hotplate/context.hpp"
#include "hotplate/coroutine.hpp"
#include "hotplate/delivery.hpp"
#include "hotplate/describe.hpp"
#include "hotplate/engine.hpp"
#include "hotplate/error.hpp"
#include "hotplate/event_store.hpp"
#include "hotplate/events.hpp"
#include "hotplate/function.hpp"
#include "hotplate/function_config.hpp"
#include "hotplate/hotplate.hpp"
#include "hotplate/ledger.hpp"
#include "hotplate/log.hpp"
#include "hotplate/meter.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/overflow_report.hpp"
#include "hotplate/payload.hpp"
#include "hotplate/pending.hpp"
#include "hotplate/price_books.hpp"
#include "hotplate/retire.hpp"
#include "hotplate/retry.hpp"
#include "hotplate/send.hpp"
#include "hotplate/source_location.hpp"
#include "hotplate/stats.hpp"
#include "hotplate/suspend.hpp"
#include "hotplate/usage.hpp"
#include "hotplate/version.hpp"
#include "hotplate/view.hpp"

TEST(all_headers, go_together) {
  hotplate::engine engine({.workers = 0});
  hotplate::channel<int> numbers(engine, 1);
  EXPECT_EQ(hotplate::price_books::all().size(), 4U);
}
