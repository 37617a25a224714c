#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/base/text.hpp"
#include "hotplate/registry/readable.hpp"
#include "hotplate/registry/records.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Who is told, under the registry's lock, what versions are needed for.
struct registry_watcher {
  /// One has become live or an alias's, or is neither any more.
  void (*in_use)(version_record& version,
                 bool now) noexcept = [](version_record&, bool) noexcept {};
};

/// Which version does a name mean?
/// Thread safety: find() never waits; the rest takes a lock.
/// I1: a table that a reader may hold stays until the registry ends; all tables
/// together are at most twice the last.
/// I2: version_record::uses_ counts the aliases that point at it, and one more
/// while it is live.
class registry {
 public:
  explicit registry(registry_watcher watcher = {}) : watcher_(watcher) {
    tables_.push_back(make_owned<table>(first_buckets));
    table_.store(&tables_.back(), std::memory_order_release);
  }

  HOTPLATE_INLINE function_record* find(std::string_view name) const noexcept {
    // acquire: pairs with the releases in insert() and grow().
    const table* const all = table_.load(std::memory_order_acquire);
    const entry* at = all->bucket(name).load(std::memory_order_acquire);
    while (at != nullptr && at->function->name != name) at = at->next;
    return at == nullptr ? nullptr : at->function;
  }

  version_record* find(const function_record& function,
                       std::uint32_t number) const noexcept {
    return function.live() == nullptr ? nullptr : function.find_version(number);
  }

  /// The record of that name; made by `make` if there is none.
  template <typename Make>
  function_record& enter(std::string_view name, const Make& make) {
    const lock_guard hold(lock_);
    if (function_record* const known = find(name)) return *known;
    functions_.push_back(make());
    try {
      insert(functions_.back());
    } catch (...) {
      functions_.take_last();
      throw;
    }
    return functions_.back();
  }

  /// Makes a version (`make(number)`) the live one; returns the one before it.
  /// Throws signature_changed if that one takes or returns something else.
  template <typename Make>
  version_record* publish(function_record& function, signature_id signature,
                          const Make& make) {
    const lock_guard hold(lock_);
    version_record* const before = function.live();
    if (before != nullptr && before->signature != signature.name()) {
      throw signature_changed("function " + function.name + " is " +
                              readable(before->signature) + ", not " +
                              readable(signature.name()) +
                              ": remove it before deploying it so");
    }
    version_record& made =
        function.versions_.push_back(make(function.last_number_ + 1));
    ++function.last_number_;
    made.replaced_ = before;
    made.older_ = function.newest_.load(std::memory_order_relaxed);
    // release: publishes the version; pairs with the acquire in find().
    function.newest_.store(&made, std::memory_order_release);
    use(made);
    make_live(function, made);
    if (before != nullptr) release(*before);
    return before;
  }

  /// Makes the version that the live one replaced live again, after calling
  /// `prepare(version)`, which may throw. Returns its number.
  template <typename Prepare>
  std::uint32_t roll_back(function_record& function, const Prepare& prepare) {
    const lock_guard hold(lock_);
    version_record* const now = function.live();
    version_record* before = now == nullptr ? nullptr : now->replaced_;
    while (before != nullptr && before->removed()) before = before->replaced_;
    if (before == nullptr) {
      throw bad_config({sentence(
          {"function ", function.name, " has no version to roll back to"})});
    }
    prepare(*before);
    use(*before);
    make_live(function, *before);
    release(*now);
    return before->number;
  }

  /// Points an alias, a new one or a known one, at one or two versions.
  void point(function_record& function, std::string_view name,
             const std::vector<weighted_version>& at) {
    const lock_guard hold(lock_);
    alias_record::route to;
    to.first = existing(function, at.front().version);
    if (at.size() == 2) {
      to.second = existing(function, at.back().version);
      to.second_share = at.back().weight;
    }
    alias_record* known = function.find_alias(name);
    if (known == nullptr) known = &function.add_alias(name);
    redirect(*known, to);
  }

  /// Takes a version or an alias out of service; false if there is none.
  /// Throws bad_config for a version that is in use.
  bool retract(function_record& function, std::string_view qualifier) {
    const lock_guard hold(lock_);
    if (alias_record* const known = function.find_alias(qualifier)) {
      if (known->read().first == nullptr) return false;
      redirect(*known, {});
      return true;
    }
    version_record* const gone = function.find_version(qualifier);
    if (gone == nullptr) return false;
    refuse_if_used(function, *gone);
    gone->removed_.store(true, std::memory_order_seq_cst);
    return true;
  }

  /// Takes the name out of service; false if it was not in it.
  bool retract(function_record& function) noexcept {
    const lock_guard hold(lock_);
    if (function.live_.exchange(nullptr) == nullptr) return false;
    for (alias_record* each = function.aliases(); each != nullptr;
         each = each->next) {
      each->write({});
    }
    for (version_record& version : function.versions_) {
      version.removed_.store(true, std::memory_order_seq_cst);
      if (std::exchange(version.uses_, 0) > 0) {
        watcher_.in_use(version, false);
      }
    }
    return true;
  }

  /// Calls `see(function)` in order of first deployment.
  template <typename See>
  void for_each(const See& see) const {
    const lock_guard hold(lock_);
    for (function_record& function : functions_) see(function);
  }

  /// Without the lock; from within for_each().
  template <typename See>
  static void see_versions(const function_record& function, const See& see) {
    for (version_record& version : function.versions_) see(version);
  }

 private:
  struct entry {
    function_record* function;
    const entry* next;
  };
  struct table {
    explicit table(std::size_t count) : size(count), heads(count) {}
    std::atomic<const entry*>& bucket(std::string_view name) const noexcept {
      return heads[std::hash<std::string_view>{}(name) & (size - 1)];
    }
    void add(function_record& function) {
      auto& head = bucket(function.name);
      entries.push_back(make_owned<entry>(
          entry{&function, head.load(std::memory_order_relaxed)}));
      // release: publishes the entry; pairs with the acquire in find().
      head.store(&entries.back(), std::memory_order_release);
    }

    const std::size_t size;  // A power of two.
    const owned_array<std::atomic<const entry*>> heads;
    owned_list<entry> entries;
  };
  static constexpr std::size_t first_buckets = 64;

  static void make_live(function_record& function,
                        version_record& version) noexcept {
    // release: publishes the version; pairs with the acquire in live().
    function.live_.store(&version, std::memory_order_release);
  }
  void use(version_record& version) noexcept {
    if (version.uses_++ == 0) watcher_.in_use(version, true);
  }
  void release(version_record& version) noexcept {
    if (--version.uses_ == 0) watcher_.in_use(version, false);
  }

  // The new versions first: one that stays must not be taken for unused.
  void redirect(alias_record& alias, const alias_record::route& to) noexcept {
    const alias_record::route before = alias.read();
    for (version_record* const each : {to.first, to.second}) {
      if (each != nullptr) use(*each);
    }
    alias.write(to);
    for (version_record* const each : {before.first, before.second}) {
      if (each != nullptr) release(*each);
    }
  }

  static version_record* existing(const function_record& function,
                                  std::uint32_t number) {
    version_record* const found = function.find_version(number);
    if (found != nullptr) return found;
    throw bad_config({sentence({"version = ", number, ": function ",
                                function.name, " has no such version"})});
  }

  static void refuse_if_used(const function_record& function,
                             const version_record& version) {
    if (function.live() == &version) {
      throw bad_config(
          {sentence({"version ", version.number, " of function ", function.name,
                     " is live: deploy another or roll back"})});
    }
    for (const alias_record* each = function.aliases(); each != nullptr;
         each = each->next) {
      const alias_record::route to = each->read();
      if (to.first != &version && to.second != &version) continue;
      throw bad_config({sentence({"version ", version.number, " of function ",
                                  function.name, ": alias ", each->name,
                                  " points at it; point that elsewhere"})});
    }
  }

  void insert(function_record& function) {
    table& last = tables_.back();
    if (functions_.size() <= last.size) {
      last.add(function);
      return;
    }
    auto wider = make_owned<table>(last.size * 2);
    for (function_record& each : functions_) wider->add(each);
    tables_.push_back(std::move(wider));
    table_.store(&tables_.back(), std::memory_order_release);
  }

  const registry_watcher watcher_;
  mutable lock lock_;  // Guards all writing.
  owned_list<function_record> functions_;
  owned_list<table> tables_;
  std::atomic<const table*> table_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
