#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "hotplate/engine.hpp"

namespace {

using hotplate::bad_config;
using hotplate::context;
using hotplate::errc;
using std::chrono::seconds;

// Handlers take a second of virtual time.
class tenant_test : public testing::Test {
 protected:
  static constexpr auto nap = [](context& ctx) { ctx.sleep_for(seconds(1)); };

  hotplate::manual_clock clock_;
  hotplate::engine engine_{{.workers = 0,
                            .max_concurrency_per_tenant = 2,
                            .max_tenants = 2,
                            .clock = &clock_}};
};

TEST_F(tenant_test, a_tenant_has_its_own_limit) {
  const auto slow = engine_.deploy("slow", nap);
  const auto acme = slow.with({.tenant = "acme"});
  const auto one = acme.async();
  const auto two = acme.async();

  auto three = acme();

  ASSERT_EQ(three.code(), errc::throttled);
  EXPECT_NE(three.error().message.find("of this tenant"), std::string::npos);
  EXPECT_EQ(three.error().limit, 2);
  EXPECT_TRUE(slow.with({.tenant = "other"})());
  EXPECT_EQ(engine_.tenants()[0].peak_in_flight, 2);
}

TEST_F(tenant_test, a_tenants_limit_can_be_set) {
  const auto slow = engine_.deploy("slow", nap);
  engine_.limit_tenant("acme", 0);
  EXPECT_EQ(slow.with({.tenant = "acme"})().code(), errc::throttled);

  engine_.limit_tenant("acme", 1);

  EXPECT_TRUE(slow.with({.tenant = "acme"})());
  EXPECT_THROW(engine_.limit_tenant("", 1), bad_config);
  EXPECT_THROW(engine_.limit_tenant("acme", -1), bad_config);
}

TEST_F(tenant_test, many_are_told_apart_and_listed_by_name) {
  constexpr int many = 3'000;
  const auto slow = engine_.deploy("slow", nap);
  for (int i = 0; i < many; ++i) {
    engine_.limit_tenant("tenant-" + std::to_string(i), i % 3);
  }

  for (int i = 0; i < many; ++i) {
    const std::string name = "tenant-" + std::to_string(i);
    EXPECT_EQ(slow.with({.tenant = name})().code(),
              i % 3 == 0 ? errc::throttled : errc::ok);
  }

  const auto all = engine_.tenants();
  ASSERT_EQ(all.size(), std::size_t{many});
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_LT(all[i - 1].name, all[i].name);
  }
}

TEST_F(tenant_test, one_with_a_limit_is_found_when_others_were_forgotten) {
  const auto slow = engine_.deploy("slow", nap);
  engine_.limit_tenant("kept", 0);

  for (int i = 0; i < 100; ++i) {
    const std::string name = "passing-" + std::to_string(i);
    EXPECT_TRUE(slow.with({.tenant = name})());
    EXPECT_EQ(slow.with({.tenant = "kept"})().code(), errc::throttled);
  }

  EXPECT_EQ(engine_.tenants().size(), 2U) << "it, and the last one";
}

TEST_F(tenant_test, a_tenants_limit_can_be_taken_back) {
  const auto slow = engine_.deploy("slow", nap, {.max_waiting = 1});
  const auto acme = slow.with({.tenant = "acme"});
  engine_.limit_tenant("acme", 0);
  auto waiting = acme.async();

  engine_.limit_tenant("acme", std::nullopt);

  EXPECT_TRUE(waiting.get()) << "it is let in";
  const auto one = acme.async();
  const auto two = acme.async();
  EXPECT_EQ(engine_.tenants()[0].limit, 2) << "as every tenant's";
  engine_.limit_tenant("nobody", std::nullopt);
  EXPECT_EQ(engine_.tenants().size(), 1U) << "nothing to take back";
  EXPECT_THROW(engine_.limit_tenant("", std::nullopt), bad_config);
}

TEST(tenants_test, once_all_limits_are_taken_back_nobody_is_too_many) {
  hotplate::engine engine({.workers = 0, .max_tenants = 1});
  const auto one = engine.deploy("one", [](context&) { return 1; });
  engine.limit_tenant("acme", 1);
  engine.limit_tenant("acme", 2);
  EXPECT_EQ(one.with({.tenant = "other"})().code(), errc::throttled);

  engine.limit_tenant("acme", std::nullopt);

  EXPECT_TRUE(one.with({.tenant = "other"})());
}

TEST_F(tenant_test, a_raised_limit_lets_waiters_in) {
  const auto slow = engine_.deploy("slow", nap, {.max_waiting = 1});
  engine_.limit_tenant("acme", 0);
  auto waiting = slow.with({.tenant = "acme"}).async();

  engine_.limit_tenant("acme", 1);

  EXPECT_TRUE(waiting.get());
}

TEST_F(tenant_test, idle_tenants_are_forgotten_before_new_ones_are_refused) {
  const auto slow = engine_.deploy("slow", nap);
  const auto one = slow.with({.tenant = "one"}).async();
  slow.with({.tenant = "two"})().value();
  const auto again = slow.with({.tenant = "one"}).async();

  const auto three = slow.with({.tenant = "three"}).async();
  auto four = slow.with({.tenant = "four"})();

  ASSERT_EQ(four.code(), errc::throttled);
  EXPECT_EQ(four.error().message,
            "function slow is throttled: tenant four is one too many, 2 "
            "tenants have invocations in flight");
}

}  // namespace
