#include "hotplate/registry/registry.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <new>
#include <string>
#include <typeinfo>
#include <vector>

namespace {

using hotplate::detail::function_record;
using hotplate::detail::handler;
using hotplate::detail::registry;
using hotplate::detail::version_record;

class registry_test : public testing::Test {
 protected:
  function_record& enter(const std::string& name) {
    return names_.enter(name, [&] {
      return hotplate::detail::make_owned<function_record>(name);
    });
  }

  version_record* publish(function_record& function,
                          const std::type_info& signature = typeid(int(int))) {
    return names_.publish(function, signature, [&](std::uint32_t number) {
      handler how{};
      how.signature = &signature;
      return hotplate::detail::make_owned<version_record>(
          number, hotplate::function_config{}, std::move(how));
    });
  }

  std::vector<std::uint32_t> numbers_of(const function_record& function) {
    std::vector<std::uint32_t> numbers;
    registry::see_versions(function, [&](const version_record& each) {
      numbers.push_back(each.number);
    });
    return numbers;
  }

  registry names_;
};

TEST_F(registry_test, an_empty_one_knows_no_name) {
  EXPECT_EQ(names_.find("hello"), nullptr);
  EXPECT_EQ(names_.find(""), nullptr);
}

TEST_F(registry_test, what_was_entered_is_found_by_its_name) {
  function_record& hello = enter("hello");

  EXPECT_EQ(names_.find("hello"), &hello);
  EXPECT_EQ(hello.name, "hello");
  EXPECT_EQ(names_.find("hell"), nullptr);
  EXPECT_EQ(names_.find("hello "), nullptr);
}

TEST_F(registry_test, a_name_is_entered_once) {
  function_record& first = enter("hello");

  function_record& second = enter("hello");

  EXPECT_EQ(&first, &second);
}

TEST_F(registry_test, names_are_bytes) {
  const std::string with_zero("a\0b", 3);

  function_record& entered = enter(with_zero);

  EXPECT_EQ(names_.find(with_zero), &entered);
  EXPECT_EQ(names_.find("a"), nullptr);
}

TEST_F(registry_test, ten_thousand_names_are_found_however_often_it_grew) {
  std::vector<function_record*> entered;
  for (int i = 0; i < 10'000; ++i) {
    entered.push_back(&enter("function " + std::to_string(i)));
  }

  for (std::size_t i = 0; i < entered.size(); ++i) {
    ASSERT_EQ(names_.find("function " + std::to_string(i)), entered[i]);
  }
}

TEST_F(registry_test, if_no_record_can_be_made_the_name_stays_unknown) {
  const auto fail = []() -> hotplate::detail::owned<function_record> {
    throw std::bad_alloc();
  };

  EXPECT_THROW(names_.enter("hello", fail), std::bad_alloc);

  EXPECT_EQ(names_.find("hello"), nullptr);
  const function_record& hello = enter("hello");
  EXPECT_EQ(names_.find("hello"), &hello);
}

TEST_F(registry_test, a_name_has_no_version_until_one_is_published) {
  const function_record& hello = enter("hello");

  EXPECT_EQ(hello.live(), nullptr);
  EXPECT_EQ(names_.find(hello, 1), nullptr);
}

TEST_F(registry_test, versions_are_numbered_from_1) {
  function_record& hello = enter("hello");

  for (int i = 0; i < 3; ++i) publish(hello);

  EXPECT_EQ(numbers_of(hello), (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_EQ(hello.live()->number, 3U);
}

TEST_F(registry_test, each_name_numbers_its_own_versions) {
  publish(enter("one"));

  publish(enter("two"));

  EXPECT_EQ(names_.find("two")->live()->number, 1U);
}

TEST_F(registry_test, publishing_returns_the_version_before) {
  function_record& hello = enter("hello");

  version_record* const before_first = publish(hello);
  version_record* const first = hello.live();
  version_record* const before_second = publish(hello);

  EXPECT_EQ(before_first, nullptr);
  EXPECT_EQ(before_second, first);
}

TEST_F(registry_test, an_older_version_is_found_by_its_number) {
  function_record& hello = enter("hello");
  publish(hello);
  version_record* const first = hello.live();
  publish(hello);

  EXPECT_EQ(names_.find(hello, 1), first);
  EXPECT_EQ(names_.find(hello, 2), hello.live());
  EXPECT_EQ(names_.find(hello, 0), nullptr);
  EXPECT_EQ(names_.find(hello, 3), nullptr);
}

TEST_F(registry_test, another_signature_is_refused_in_words) {
  function_record& hello = enter("hello");
  publish(hello, typeid(int(int)));

  try {
    publish(hello, typeid(void()));
    ADD_FAILURE() << "it was accepted";
  } catch (const hotplate::signature_changed& why) {
    EXPECT_STREQ(why.what(),
                 "function hello is int (int), not void (): remove it before "
                 "deploying it so");
  }
}

TEST_F(registry_test, a_refused_version_changes_nothing) {
  function_record& hello = enter("hello");
  publish(hello, typeid(int(int)));
  version_record* const live = hello.live();

  EXPECT_THROW(publish(hello, typeid(void())), hotplate::signature_changed);

  EXPECT_EQ(hello.live(), live);
  publish(hello, typeid(int(int)));
  EXPECT_EQ(hello.live()->number, 2U) << "no number was lost";
}

TEST_F(registry_test, a_version_that_cannot_be_made_takes_no_number) {
  function_record& hello = enter("hello");
  const auto fail =
      [](std::uint32_t) -> hotplate::detail::owned<version_record> {
    throw std::bad_alloc();
  };

  EXPECT_THROW(names_.publish(hello, typeid(int(int)), fail), std::bad_alloc);

  EXPECT_EQ(hello.live(), nullptr);
  publish(hello);
  EXPECT_EQ(hello.live()->number, 1U);
}

TEST_F(registry_test, a_retracted_name_has_no_version) {
  function_record& hello = enter("hello");
  publish(hello);

  const bool was_live = names_.retract(hello);

  EXPECT_TRUE(was_live);
  EXPECT_EQ(hello.live(), nullptr);
  EXPECT_EQ(names_.find(hello, 1), nullptr);
  EXPECT_EQ(names_.find("hello"), &hello) << "handles may still point to it";
}

TEST_F(registry_test, what_is_not_live_cannot_be_retracted) {
  function_record& hello = enter("hello");
  const bool before = names_.retract(hello);
  publish(hello);
  names_.retract(hello);

  const bool again = names_.retract(hello);

  EXPECT_FALSE(before);
  EXPECT_FALSE(again);
}

TEST_F(registry_test, a_retracted_name_may_come_back_with_another_signature) {
  function_record& hello = enter("hello");
  publish(hello, typeid(int(int)));
  names_.retract(hello);

  version_record* const before = publish(hello, typeid(void()));

  EXPECT_EQ(before, nullptr);
  EXPECT_EQ(hello.live()->number, 2U) << "numbers are not used twice";
  EXPECT_EQ(hello.live()->signature, typeid(void()).name());
}

TEST_F(registry_test, names_are_listed_in_order_of_their_entry) {
  for (const char* const name : {"c", "a", "b", "a"}) enter(name);
  std::string listed;

  names_.for_each([&](const function_record& each) { listed += each.name; });

  EXPECT_EQ(listed, "cab");
}

}  // namespace
