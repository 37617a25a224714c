#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/alias.hpp"
#include "hotplate/base/decimal.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/registry/handler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// One immutable deployment of a function.
struct version_record {
  version_record(std::uint32_t its_number, const function_config& its_config,
                 handler its_handler)
      : number(its_number),
        config(its_config),
        signature(its_handler.signature->name()),
        how(std::move(its_handler)) {}
  version_record(const version_record&) = delete;
  version_record& operator=(const version_record&) = delete;
  virtual ~version_record() = default;

  bool removed() const noexcept {
    // seq_cst: see core::is_gone().
    return removed_.load(std::memory_order_seq_cst);
  }

  const std::uint32_t number;
  // Never changed, but for the policy, which goes with the handler: under the
  // registry's lock (core::forget_handlers).
  function_config config;
  const std::string signature;  // Mangled; see signature_id.
  // Once it is removed, and nothing of it is left: only pointers to code that
  // may be gone, which nobody follows.
  handler how;

 private:
  friend class registry;
  friend struct function_record;
  // All written by the registry, under its lock; `older_` before anybody can
  // find the version.
  std::atomic<bool> removed_ = false;
  version_record* older_ = nullptr;
  version_record* replaced_ = nullptr;  // What was live before it.
  std::uint32_t uses_ = 0;
};

/// A name for one or two versions of a function. Kept, as those are, until the
/// registry ends; one that was removed leads nowhere.
/// Thread safety: read() never waits for long; write() from one thread at a
/// time. A sequence lock: an odd count, or one that has changed, means again.
struct alias_record {
  struct route {
    version_record* first = nullptr;
    version_record* second = nullptr;
    double second_share = 0;
  };

  alias_record(std::string_view its_name, alias_record* made_before)
      : name(its_name), next(made_before) {}

  route read() const noexcept {
    for (;;) {
      const std::uint32_t before = sequence_.load(std::memory_order_acquire);
      // acquire: the second look at the count must not come before these.
      const route seen{first_.load(std::memory_order_acquire),
                       second_.load(std::memory_order_acquire),
                       share_.load(std::memory_order_acquire)};
      const bool same = sequence_.load(std::memory_order_relaxed) == before;
      if (same && before % 2 == 0) return seen;
    }
  }

  void write(const route& to) noexcept {
    const std::uint32_t odd = sequence_.load(std::memory_order_relaxed) + 1;
    sequence_.store(odd, std::memory_order_relaxed);
    // release: who sees one of these sees the odd count; pairs with read().
    first_.store(to.first, std::memory_order_release);
    second_.store(to.second, std::memory_order_release);
    share_.store(to.second_share, std::memory_order_release);
    sequence_.store(odd + 1, std::memory_order_release);
  }

  const std::string name;
  alias_record* const next;

 private:
  // Written by the registry, under its lock.
  std::atomic<std::uint32_t> sequence_ = 0;
  std::atomic<version_record*> first_ = nullptr;
  std::atomic<version_record*> second_ = nullptr;
  std::atomic<double> share_ = 0;
};

/// The mixing of SplitMix64 (Steele et al.): numbers in a row become even.
inline std::uint64_t mix(std::uint64_t number) noexcept {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

/// The version that invocation `number` takes: the same for the same number.
inline version_record* choose(const alias_record::route& from,
                              std::uint64_t number) noexcept {
  if (from.second == nullptr) return from.first;
  const double drawn = static_cast<double>(mix(number) >> 11) * 0x1p-53;
  return drawn < from.second_share ? from.second : from.first;
}

/// A name, its versions and aliases. Kept until the registry ends, so that a
/// handle may be used, and answered `not_found`, after the function was
/// removed.
struct function_record {
  explicit function_record(std::string its_name) : name(std::move(its_name)) {}
  function_record(const function_record&) = delete;
  function_record& operator=(const function_record&) = delete;
  virtual ~function_record() = default;

  version_record* live() const noexcept {
    // acquire: pairs with the release in registry::make_live().
    return live_.load(std::memory_order_acquire);
  }

  /// False of a name whose first deploy was refused.
  bool was_deployed() const noexcept {
    return newest_.load(std::memory_order_relaxed) != nullptr;
  }

  version_record* find_version(std::uint32_t number) const noexcept {
    // acquire: pairs with the release in registry::publish().
    version_record* at = newest_.load(std::memory_order_acquire);
    while (at != nullptr && at->number > number) at = at->older_;
    const bool found = at != nullptr && at->number == number && !at->removed();
    return found ? at : nullptr;
  }
  version_record* find_version(std::string_view number) const noexcept {
    std::uint32_t value = 0;
    const bool read = read_decimal(number, value) == decimal_fault::none;
    return read ? find_version(value) : nullptr;
  }

  /// The first of all, by `next`.
  alias_record* aliases() const noexcept {
    // acquire: pairs with the release in add_alias().
    return first_alias_.load(std::memory_order_acquire);
  }
  alias_record* find_alias(std::string_view alias) const noexcept {
    alias_record* at = aliases();
    while (at != nullptr && at->name != alias) at = at->next;
    return at;
  }

  /// What `qualifier` means for invocation `number`; null if nothing.
  version_record* find(std::string_view qualifier,
                       std::uint64_t number) const noexcept {
    if (qualifier == latest) return live();
    if (const alias_record* const alias = find_alias(qualifier)) {
      return choose(alias->read(), number);
    }
    return find_version(qualifier);
  }

  const std::string name;
  static constexpr std::string_view latest = "$LATEST";

 private:
  friend class registry;

  alias_record& add_alias(std::string_view alias) {
    alias_record& made =
        aliases_.push_back(make_owned<alias_record>(alias, aliases()));
    // release: publishes the record; pairs with the acquire in aliases().
    first_alias_.store(&made, std::memory_order_release);
    return made;
  }

  // All written by the registry, under its lock; `live_` is null once removed.
  std::atomic<version_record*> live_ = nullptr;
  std::atomic<version_record*> newest_ = nullptr;
  std::atomic<alias_record*> first_alias_ = nullptr;
  owned_list<version_record> versions_;
  owned_list<alias_record> aliases_;
  std::uint32_t last_number_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
