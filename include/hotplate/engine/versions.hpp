#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/setup.hpp"
#include "hotplate/engine/unload.hpp"

// Which version is meant: roll back, aliases, qualifiers.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline registry_watcher core::version_watcher() noexcept {
  return {[](version_record& version, bool now) noexcept {
    auto& pool = static_cast<deployed_version&>(version).instances;
    if (now) {
      pool.open();
    } else {
      pool.close(version.removed() ? retire_reason::removed
                                   : retire_reason::redeployed);
    }
  }};
}

/// "name:qualifier" in two; the qualifier is empty if there is none.
struct qualified_name {
  explicit qualified_name(std::string_view whole) noexcept
      : name(whole.substr(0, whole.find(':'))),
        qualifier(name.size() < whole.size() ? whole.substr(name.size() + 1)
                                             : std::string_view()) {}
  std::string_view name;
  std::string_view qualifier;
};

inline function_record& core::deployed(std::string_view name) {
  function_record* const target = names_.find(name);
  if (target != nullptr && target->live() != nullptr) return *target;
  throw bad_config({sentence(
      {"name = \"", shown(name), "\": no such function is deployed"})});
}

inline bool core::remove(std::string_view name) {
  if (is_forked()) return false;
  const qualified_name parts(name);
  function_record* const target = names_.find(parts.name);
  if (target == nullptr) return false;
  const bool whole = parts.name.size() == name.size();
  if (whole ? !names_.retract(*target)
            : !names_.retract(*target, parts.qualifier)) {
    return false;
  }
  if (whole) {
    auto& removed = static_cast<deployed_function&>(*target);
    const lock_guard hold(reserving_);
    if (removed.reserved > 0 && !std::exchange(removed.gives_back, true)) {
      removed.next_to_give_back = std::exchange(to_give_back_, &removed);
    }
    give_reservations_back();
  }
  forget_removed();
  return true;
}

// Destroys the handlers, and what they captured, of removed versions that
// nobody uses any more; those in use are for a later removal. Not at each one
// where there are many versions to look at. See unload.hpp for why it is safe.
inline void core::forget_removed() {
  constexpr std::size_t share = 16;
  if (removals_.fetch_add(1) < looks_after_.load()) return;
  std::vector<std::shared_ptr<void>> forgotten;
  std::size_t versions = 0;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  names_.for_each([&](function_record& each) {
    // acquire: sees the records of those who entered before the removal.
    static_cast<void>(static_cast<deployed_function&>(each).limit.inside());
    registry::see_versions(each, [&](version_record& version) {
      ++versions;
      if (!version.removed() || version.how.prototype == nullptr) return;
      const auto& removed = static_cast<const deployed_version&>(version);
      if (uses_of(removed).any()) return;
      forgotten.push_back(std::move(version.how.prototype));
      forgotten.push_back(std::move(version.config.keep_alive_by));
    });
  });
  removals_.store(0);
  looks_after_.store(versions / share);
}

inline std::uint32_t core::roll_back(std::string_view name) {
  refuse_in_child();
  auto& target = static_cast<deployed_function&>(deployed(name));
  return names_.roll_back(target, [&](const version_record& version) {
    reserve(target, version.config);
  });
}

inline void check_alias(std::string_view name,
                        const std::vector<weighted_version>& at) {
  constexpr double tolerance = 1e-9;
  checklist list;
  list.require(is_function_name(name) && name.find_first_not_of("0123456789") !=
                                             std::string_view::npos,
               sentence({"alias = \"", shown(name),
                         "\": allowed are 1 to 64 of A-Z a-z 0-9 - _, not "
                         "only digits"}));
  list.require(at.size() == 1 || at.size() == 2,
               sentence({"versions = ", at.size(), ": allowed are 1 to 2"}));
  list.require(at.size() != 2 || at[0].version != at[1].version,
               sentence({"versions = ", at.empty() ? 0 : at[0].version,
                         " twice: allowed are two different ones"}));
  double sum = 0;
  for (const weighted_version& each : at) {
    sum += each.weight;
    list.require(
        each.weight >= 0 && each.weight <= 1,
        sentence({"weight = ", std::to_string(each.weight), " of version ",
                  each.version, ": allowed are 0 to 1"}));
  }
  list.require(sum >= 1 - tolerance && sum <= 1 + tolerance,
               sentence({"weights = ", std::to_string(sum),
                         " together: they must add up to 1"}));
  list.pass();
}

inline void core::alias(std::string_view name, std::string_view alias,
                        const std::vector<weighted_version>& at) {
  refuse_in_child();
  check_alias(alias, at);
  names_.point(deployed(name), alias, at);
}

// Here the choice between two versions falls, by the invocation's number.
HOTPLATE_NOINLINE inline version_record* core::aim_qualified(
    invocation& call, std::string_view name) {
  const qualified_name parts(name);
  function_record* const target = names_.find(parts.name);
  if (target == nullptr || target->live() == nullptr) {
    call.thrown = is_not_found(*this, name);
    return nullptr;
  }
  version_record* const version =
      target->find(parts.qualifier, number_of(call));
  if (version == nullptr) {
    call.thrown = has_no_qualifier(*this, target->name, parts.qualifier);
    return nullptr;
  }
  aim(call, *target, *version);
  return version;
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
