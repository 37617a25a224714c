#pragma once

#include <string>
#include <utility>
#include <vector>

#include "hotplate/base/text.hpp"
#include "hotplate/error.hpp"
#include "hotplate/registry/registry.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Collects what is wrong, so that one exception can name all of it.
class checklist {
 public:
  template <typename T>
  void within(std::string_view field, T value, T least, T most,
              std::string_view unit) {
    if (value >= least && value <= most) return;
    problems_.push_back(sentence({field, " = ", value, " ", unit,
                                  ": allowed are ", least, " to ", most}));
  }
  void require(bool holds, std::string problem) {
    if (!holds) problems_.push_back(std::move(problem));
  }
  void pass() {
    if (!problems_.empty()) throw bad_config(std::move(problems_));
  }

 private:
  std::vector<std::string> problems_;
};

inline bool is_function_name(std::string_view name) noexcept {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of(allowed) == std::string_view::npos;
}

/// "name" or "name:qualifier"; it may be deployed later.
inline void check_destination(checklist& list, std::string_view field,
                              std::string_view target) {
  const std::string_view name = target.substr(0, target.find(':'));
  const bool qualified = name.size() < target.size();
  const std::string_view qualifier =
      qualified ? target.substr(name.size() + 1) : "$LATEST";
  const bool good = is_function_name(name) &&
                    (qualifier == "$LATEST" || is_function_name(qualifier));
  list.require(target.empty() || good,
               sentence({field, " = \"", shown(target),
                         "\": expected the name of a function"}));
}

inline void check_retry(checklist& list, const function_config& config) {
  constexpr std::int64_t hour = 3'600'000;
  const retry_policy& retry = config.retry;
  const std::int64_t longest = retry.longest_backoff.count();
  list.within("retry.max_attempts", retry.max_attempts, 1U, 100U, "attempts");
  list.within<std::int64_t>("retry.longest_backoff", longest, 1, 6 * hour,
                            "ms");
  list.within<std::int64_t>("retry.first_backoff", retry.first_backoff.count(),
                            0, longest, "ms");
  list.within<std::int64_t>("retry.max_age", retry.max_age.count(), 1,
                            14 * 24 * hour, "ms");
  check_destination(list, "on_success", config.on_success);
  check_destination(list, "on_failure", config.on_failure);
}

inline void check_instances(checklist& list, const handler& how,
                            const function_config& config) {
  constexpr std::int64_t many = std::int64_t{1} << 40;
  const std::int64_t most =
      config.max_instances > 0 ? config.max_instances : config.max_concurrency;
  list.within<std::int64_t>("max_instances", config.max_instances, 0, many,
                            "instances");
  list.within<std::int64_t>("min_instances", config.min_instances, 0, most,
                            "instances");
  list.within<std::int64_t>("provisioned", config.provisioned, 0, most,
                            "instances");
  list.within<std::int64_t>("max_uses", config.max_uses, 0, many,
                            "invocations");
  list.within("instance_concurrency", config.instance_concurrency, 1, 1'000,
              "invocations");
  list.require(!config.snapshot || how.copy != nullptr,
               "snapshot = true: allowed for a class that can be copied, whose "
               "objects are the instances");
}

/// The engine must be able to hold one instance, and those that are
/// provisioned.
inline void check_memory(const function_config& config, mebibytes most) {
  if (most.count == 0) return;
  checklist list;
  const std::int64_t each = config.memory.count;
  const std::int64_t least = std::max<std::int64_t>(config.provisioned, 1);
  list.require(
      least <= most.count / each,
      sentence({config.provisioned > 0 ? "provisioned = " : "memory: ", least,
                " instances of ", each,
                " MiB: the engine's instance_memory is ", most.count, " MiB"}));
  list.pass();
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
