#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "hotplate/registry/registry.hpp"
#include "together.hpp"

namespace {

using hotplate::detail::function_record;
using hotplate::detail::registry;
using hotplate::detail::version_record;

class registry_stress_test : public testing::Test {
 protected:
  static constexpr std::size_t count = 10'000;

  registry_stress_test() {
    for (std::size_t i = 0; i < count; ++i) {
      spelt_.push_back("function " + std::to_string(i));
    }
  }

  function_record& enter(std::size_t which) {
    return names_.enter(spelt_[which], [&] {
      return hotplate::detail::make_owned<function_record>(spelt_[which]);
    });
  }
  // Its version's timeout repeats its number.
  void publish(function_record& function) {
    const std::type_info& signature = typeid(void());
    names_.publish(function, signature, [&](std::uint32_t number) {
      hotplate::detail::handler how{};
      how.signature = &signature;
      hotplate::function_config config;
      config.timeout = std::chrono::milliseconds(number);
      return hotplate::detail::make_owned<version_record>(number, config,
                                                          std::move(how));
    });
  }

  registry names_;
  std::vector<std::string> spelt_;
};

TEST_F(registry_stress_test, names_are_found_while_ten_thousand_are_entered) {
  std::atomic<std::size_t> entered = 0;
  std::atomic<std::size_t> wrong = 0;

  together(3, [&](std::size_t thread) {
    for (std::size_t i = 0; thread == 0 && i < count; ++i) {
      enter(i);
      entered = i + 1;
    }
    for (std::size_t i = thread; entered < count; i += 7) {
      const std::size_t known = entered;
      const std::size_t which = i % count;
      const function_record* const found = names_.find(spelt_[which]);
      wrong += found == nullptr ? which < known : found->name != spelt_[which];
    }
  });

  EXPECT_EQ(wrong, 0U);
}

TEST_F(registry_stress_test, a_name_entered_by_several_is_one) {
  std::vector<std::vector<function_record*>> got(3);

  together(3, [&](std::size_t thread) {
    for (std::size_t i = 0; i < count; ++i) got[thread].push_back(&enter(i));
  });

  EXPECT_EQ(got[0], got[1]);
  EXPECT_EQ(got[0], got[2]);
}

TEST_F(registry_stress_test, the_live_version_is_whole_and_never_an_older_one) {
  function_record& hello = enter(0);
  publish(hello);
  std::atomic<bool> over = false;
  std::atomic<int> wrong = 0;

  together(3, [&](std::size_t thread) {
    for (std::size_t i = 0; thread == 0 && i < count; ++i) publish(hello);
    if (thread == 0) over = true;
    std::uint32_t last = 0;
    while (!over) {
      const version_record& live = *hello.live();
      wrong += live.number < last || live.config.timeout.count() != live.number;
      last = live.number;
    }
  });

  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(hello.live()->number, count + 1);
}

TEST_F(registry_stress_test,
       versions_published_by_several_have_numbers_of_own) {
  function_record& hello = enter(0);

  together(3, [&](std::size_t) {
    for (int i = 0; i < 3'000; ++i) publish(hello);
  });

  std::uint32_t next = 1;
  registry::see_versions(hello, [&](const version_record& each) {
    ASSERT_EQ(each.number, next);
    ++next;
  });
  EXPECT_EQ(next, 9'001U);
}

}  // namespace
