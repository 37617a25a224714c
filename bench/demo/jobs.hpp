#pragma once

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "demo/input.hpp"
#include "hotplate/payload.hpp"

namespace demo {

/// An answer was not what it had to be.
class wrong_answer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A function, events for it, and what its answers have to be.
struct job {
  std::string function;
  std::vector<std::string_view> events;  ///< Of the corpus, or kept by `check`.
  /// Throws wrong_answer if `answer` does not belong to event number `event`.
  std::function<void(std::size_t event, hotplate::payload_view answer)> check;
  /// What was done, in a line, once each event was answered.
  std::function<std::string()> summary;
};

/// `texts` and `picture` must outlive the jobs.
job count_words(const corpus& texts);
job compress_texts(const corpus& texts);
job make_thumbnails(const std::string& picture);
job sum_orders(std::uint64_t seed);
job run_pipeline(const corpus& texts);

}  // namespace demo
