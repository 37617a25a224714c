#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "hotplate/engine.hpp"

namespace {

using hotplate::context;
using hotplate::errc;
using hotplate::start_kind;
using testing::ElementsAre;
using testing::HasSubstr;

/// A function of which every version answers its own number.
class alias_test : public testing::TestWithParam<int> {
 protected:
  void deploy_versions(int count) {
    for (int i = 0; i < count; ++i) {
      engine_.deploy("f", [](context& ctx) { return ctx.version(); });
    }
  }

  std::string answer(std::string_view name) {
    return std::string(engine_.invoke(name).value().text());
  }

  std::vector<std::string> problems(
      std::string_view alias,
      const std::vector<hotplate::weighted_version>& at) {
    try {
      engine_.alias("f", alias, at);
      return {};
    } catch (const hotplate::bad_config& why) {
      return why.problems();
    }
  }

  hotplate::engine engine_{{.workers = GetParam()}};
};

TEST_P(alias_test, leads_to_its_version) {
  deploy_versions(3);

  engine_.alias("f", "prod", {{2}});

  EXPECT_EQ(answer("f:prod"), "2");
  EXPECT_EQ(answer("f"), "3");
  EXPECT_EQ(answer("f:$LATEST"), "3");
}

TEST_P(alias_test, can_be_pointed_elsewhere) {
  deploy_versions(3);
  engine_.alias("f", "prod", {{2}});

  engine_.alias("f", "prod", {{1}});

  EXPECT_EQ(answer("f:prod"), "1");
}

TEST_P(alias_test, keeps_the_instances_of_its_version_warm) {
  deploy_versions(1);
  engine_.alias("f", "prod", {{1}});
  deploy_versions(1);
  engine_.invoke("f:prod").value();

  EXPECT_EQ(engine_.invoke("f:prod").usage().start, start_kind::warm);

  engine_.alias("f", "prod", {{2}});
  EXPECT_EQ(engine_.invoke("f:1").usage().start, start_kind::cold);
  EXPECT_EQ(engine_.invoke("f:1").usage().start, start_kind::cold);
}

TEST_P(alias_test, divides_by_weight) {
  deploy_versions(4);
  engine_.alias("f", "prod", {{3, 0.9}, {4, 0.1}});

  int fourth = 0;
  for (int i = 0; i < 4'000; ++i) {
    const auto outcome = engine_.invoke("f:prod");
    if (outcome.usage().version == 4) ++fourth;
  }

  EXPECT_NEAR(fourth, 400, 100);
}

TEST_P(alias_test, a_weight_of_zero_gets_nothing) {
  deploy_versions(2);
  engine_.alias("f", "prod", {{1, 0}, {2, 1}});

  for (int i = 0; i < 100; ++i) ASSERT_EQ(answer("f:prod"), "2");
}

TEST_P(alias_test, can_be_invoked_from_a_handler) {
  deploy_versions(2);
  engine_.alias("f", "prod", {{1}});
  const auto outer = engine_.deploy("outer", [](context& ctx) {
    return std::string(ctx.invoke("f:prod").value().text());
  });

  EXPECT_EQ(outer().value(), "1");
}

TEST_P(alias_test, an_unknown_qualifier_is_not_found_and_named) {
  deploy_versions(1);

  for (const char* const name :
       {"f:prod", "f:2", "f:", "f:0", "f:1x", "f:-1", "f:99999999999"}) {
    const auto outcome = engine_.invoke(name);

    EXPECT_EQ(outcome.code(), errc::not_found) << name;
    EXPECT_THAT(outcome.error().message,
                HasSubstr("f has no version or alias"));
    EXPECT_THAT(outcome.error().message, testing::EndsWith(name + 2));
  }
  EXPECT_EQ(engine_.invoke("g:1").code(), errc::not_found);
  EXPECT_EQ(engine_.stats().not_found, 8U);
}

TEST_P(alias_test, bad_weights_are_refused_one_by_one) {
  deploy_versions(2);
  const double nan = std::numeric_limits<double>::quiet_NaN();

  EXPECT_THAT(problems("a", {}), ElementsAre(HasSubstr("versions = 0"),
                                             HasSubstr("must add up to 1")));
  EXPECT_THAT(problems("a", {{1, 0.5}}), ElementsAre(HasSubstr("0.5")));
  EXPECT_THAT(problems("a", {{1, 0.5}, {2, 0.6}}),
              ElementsAre(HasSubstr("1.1")));
  EXPECT_THAT(problems("a", {{1, -0.5}, {2, 1.5}}),
              ElementsAre(HasSubstr("weight = -0.5"), HasSubstr("1.5")));
  EXPECT_EQ(problems("a", {{1, nan}, {2, 1}}).size(), 2U);
  EXPECT_THAT(problems("a", {{1, 0.5}, {2, 0.25}, {1, 0.25}}),
              ElementsAre(HasSubstr("versions = 3")));
  EXPECT_EQ(engine_.invoke("f:a").code(), errc::not_found);
}

TEST_P(alias_test, bad_names_and_versions_are_refused) {
  deploy_versions(1);

  EXPECT_THAT(problems("12", {{1}}), ElementsAre(HasSubstr("only digits")));
  EXPECT_THAT(problems("", {{1}}), ElementsAre(HasSubstr("alias")));
  EXPECT_THAT(problems("$LATEST", {{1}}), ElementsAre(HasSubstr("alias")));
  EXPECT_THAT(problems("a", {{2}}), ElementsAre(HasSubstr("version = 2")));
  EXPECT_THROW(engine_.alias("nobody", "a", {{1}}), hotplate::bad_config);
}

TEST_P(alias_test, can_be_removed) {
  deploy_versions(1);
  engine_.alias("f", "prod", {{1}});

  EXPECT_TRUE(engine_.remove("f:prod"));
  EXPECT_FALSE(engine_.remove("f:prod"));

  EXPECT_EQ(engine_.invoke("f:prod").code(), errc::not_found);
  engine_.alias("f", "prod", {{1}});
  EXPECT_EQ(answer("f:prod"), "1");
}

TEST_P(alias_test, a_version_that_an_alias_points_at_is_not_removed) {
  deploy_versions(3);
  engine_.alias("f", "prod", {{1, 0.5}, {2, 0.5}});

  try {
    engine_.remove("f:2");
    FAIL();
  } catch (const hotplate::bad_config& why) {
    EXPECT_THAT(why.problems(), ElementsAre(HasSubstr("alias prod")));
  }
  EXPECT_EQ(answer("f:2"), "2");
  engine_.remove("f:prod");
  EXPECT_TRUE(engine_.remove("f:2"));
  EXPECT_EQ(engine_.invoke("f:2").code(), errc::not_found);
}

TEST_P(alias_test, goes_with_its_function) {
  deploy_versions(2);
  engine_.alias("f", "prod", {{1}});

  engine_.remove("f");
  EXPECT_EQ(engine_.invoke("f:prod").code(), errc::not_found);

  deploy_versions(1);
  EXPECT_EQ(engine_.invoke("f:prod").code(), errc::not_found);
  EXPECT_EQ(engine_.invoke("f:1").code(), errc::not_found);
  EXPECT_EQ(answer("f:3"), "3");
}

TEST_P(alias_test, is_never_seen_half_changed) {
  deploy_versions(3);
  engine_.alias("f", "prod", {{1}});
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  std::thread caller([&] {
    while (!stop) {
      const auto outcome = engine_.invoke("f:prod");
      if (!outcome || outcome.usage().version == 3) ++wrong;
    }
  });

  for (int i = 0; i < 500; ++i) {
    // Version 3 has no weight in the one, and is not named in the other.
    engine_.alias("f", "prod", {{1, 1}, {3, 0}});
    engine_.alias("f", "prod", {{1, 0}, {2, 1}});
  }
  stop = true;
  caller.join();

  EXPECT_EQ(wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(workers, alias_test, testing::Values(1, 2, 4));

TEST(alias_choice, is_the_same_for_the_same_invocations) {
  const auto versions = [] {
    hotplate::manual_clock clock;
    hotplate::engine engine({.workers = 0, .clock = &clock});
    engine.deploy("f", [](context&) {});
    engine.deploy("f", [](context&) {});
    engine.alias("f", "prod", {{1, 0.5}, {2, 0.5}});
    std::vector<std::uint32_t> taken;
    for (int i = 0; i < 100; ++i) {
      taken.push_back(engine.invoke("f:prod").usage().version);
    }
    return taken;
  };

  EXPECT_EQ(versions(), versions());
}

}  // namespace
