#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../engine/eventually.hpp"
#include "ways.hpp"

// Every errc, by every way that leads there through the public interface: what
// its error says, and that the engine is afterwards as it was before.

namespace {

using hotplate::context;
using hotplate::engine;
using hotplate::errc;
using hotplate::error;
using std::chrono::milliseconds;

// No `default`: an enumerator without ways to it does not compile.
std::vector<way> ways_to(errc code) {
  switch (code) {
    case errc::ok:
      return {};
    case errc::not_found:
      return ways_to_not_found();
    case errc::throttled:
      return ways_to_throttled();
    case errc::timed_out:
      return ways_to_timed_out();
    case errc::cancelled:
      return ways_to_cancelled();
    case errc::event_too_large:
      return ways_to_event_too_large();
    case errc::bad_event:
      return ways_to_bad_event();
    case errc::no_codec:
      return ways_to_no_codec();
    case errc::already_pumping:
      return ways_to_already_pumping();
    case errc::stalled:
      return ways_to_stalled();
    case errc::function_threw:
      return ways_to_function_threw();
    case errc::out_of_memory:
      return ways_to_out_of_memory();
    case errc::init_failed:
      return ways_to_init_failed();
    case errc::response_too_large:
      return ways_to_response_too_large();
    case errc::resource_exhausted:
      return ways_to_resource_exhausted();
    case errc::draining:
      return ways_to_draining();
    case errc::engine_unusable:
      return ways_to_engine_unusable();
  }
  return {};
}

class errors_test : public testing::TestWithParam<int> {
 protected:
  errc code() const { return static_cast<errc>(GetParam()); }

  void expect_as_before(engine& on) {
    on.run_until_idle();
    EXPECT_TRUE(becomes_true([&] { return on.stats().in_flight == 0; }));
    EXPECT_EQ(on.stats().waiting, 0);
    if (code() == errc::draining) return;
    EXPECT_EQ(on.invoke("fine", "4").value().text(), "4");
    on.remove("nap");
    EXPECT_TRUE(on.deploy("nap", [](context&, int x) { return x; })(1));
  }
};

TEST_P(errors_test, is_reached_says_why_and_leaves_all_as_it_was) {
  const std::vector<way> ways = ways_to(code());
  ASSERT_FALSE(ways.empty()) << hotplate::to_string(code());
  for (way each : ways) {
    SCOPED_TRACE(std::string(to_string(code())) + ": " + each.how);
    hotplate::manual_clock clock;
    if (each.config.workers == 0) each.config.clock = &clock;
    moved_clock = &clock;
    engine on(each.config);
    on.deploy("fine", [](context&, std::string_view text) {
      return std::string(text.substr(0, 4));
    });

    const error why = each.reach(on);

    EXPECT_EQ(to_string(why.code), to_string(code()));
    EXPECT_EQ(why.function, each.function);
    EXPECT_THAT(why.message, testing::HasSubstr(each.named));
    EXPECT_EQ(to_string(why.reached), to_string(each.reached));
    EXPECT_EQ(why.limit, each.limit);
    EXPECT_EQ(why.value, each.value);
    EXPECT_EQ(why.retry_after > milliseconds(0), code() == errc::throttled);
    expect_as_before(on);
  }
}

INSTANTIATE_TEST_SUITE_P(of_every, errors_test,
                         testing::Range(1,
                                        static_cast<int>(hotplate::errc_count)),
                         [](const auto& code) {
                           return std::string(
                               to_string(static_cast<errc>(code.param)));
                         });

}  // namespace
