#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "demo/handlers/word_count.hpp"
#include "hotplate/engine.hpp"

namespace demo {

/// Invokes two other functions on its text: one through its typed handle and
/// without waiting, so that it runs beside the other, which is called by name.
class pipeline {
 public:
  using counter = hotplate::function<word_summary(std::string_view)>;

  explicit pipeline(counter count_words) : count_words_(count_words) {}

  nlohmann::json operator()(hotplate::context& ctx,
                            std::string_view text) const;

 private:
  counter count_words_;
};

}  // namespace demo
