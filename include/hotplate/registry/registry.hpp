#pragma once

#include <atomic>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/base/lock.hpp"
#include "hotplate/registry/handler.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// One immutable deployment of a function.
struct version_record {
  version_record(std::uint32_t its_number, const function_config& its_config,
                 handler its_handler)
      : number(its_number), config(its_config), how(std::move(its_handler)) {}
  version_record(const version_record&) = delete;
  version_record& operator=(const version_record&) = delete;
  virtual ~version_record() = default;

  const std::uint32_t number;
  const function_config config;
  const handler how;
};

/// A name and its versions. Kept until the registry ends, so that a handle may
/// be used, and answered `not_found`, after the function was removed.
struct function_record {
  explicit function_record(std::string its_name) : name(std::move(its_name)) {}
  function_record(const function_record&) = delete;
  function_record& operator=(const function_record&) = delete;
  virtual ~function_record() = default;

  version_record* live() const noexcept {
    // acquire: pairs with the release in registry::publish().
    return live_.load(std::memory_order_acquire);
  }

  const std::string name;

 private:
  friend class registry;
  // Written by the registry, under its lock; null once removed.
  std::atomic<version_record*> live_ = nullptr;
  std::vector<std::unique_ptr<version_record>> versions_;
  std::uint32_t last_number_ = 0;
};

/// Which version does a name mean?
/// Thread safety: find() never waits; the rest takes a lock.
/// I1: a table that a reader may hold stays until the registry ends; all tables
/// together are at most twice the last.
class registry {
 public:
  registry() {
    tables_.push_back(std::make_unique<table>(first_buckets));
    table_.store(tables_.back().get(), std::memory_order_release);
  }

  function_record* find(std::string_view name) const noexcept {
    // acquire: pairs with the releases in insert() and grow().
    const table* const all = table_.load(std::memory_order_acquire);
    const entry* at = all->bucket(name).load(std::memory_order_acquire);
    while (at != nullptr && at->function->name != name) at = at->next;
    return at == nullptr ? nullptr : at->function;
  }

  version_record* find(const function_record& function,
                       std::uint32_t number) const noexcept {
    const lock_guard hold(lock_);
    if (function.live() == nullptr) return nullptr;
    for (const auto& version : function.versions_) {
      if (version->number == number) return version.get();
    }
    return nullptr;
  }

  /// The record of that name; made by `make` if there is none.
  template <typename Make>
  function_record& enter(std::string_view name, const Make& make) {
    const lock_guard hold(lock_);
    if (function_record* const known = find(name)) return *known;
    functions_.push_back(make());
    try {
      insert(*functions_.back());
    } catch (...) {
      functions_.pop_back();
      throw;
    }
    return *functions_.back();
  }

  /// Makes a version (`make(number)`) the live one; returns the one before it.
  /// Throws signature_changed if that one takes or returns something else.
  template <typename Make>
  version_record* publish(function_record& function, std::string_view signature,
                          const Make& make) {
    const lock_guard hold(lock_);
    version_record* const before = function.live();
    if (before != nullptr && before->how.signature != signature) {
      throw signature_changed("function " + function.name + " is " +
                              std::string(before->how.signature) + ", not " +
                              std::string(signature) +
                              ": remove it before deploying it so");
    }
    function.versions_.push_back(make(function.last_number_ + 1));
    ++function.last_number_;
    // release: publishes the version; pairs with the acquire in live().
    function.live_.store(function.versions_.back().get(),
                         std::memory_order_release);
    return before;
  }

  /// Takes the name out of service; false if it was not in it.
  bool retract(function_record& function) noexcept {
    const lock_guard hold(lock_);
    return function.live_.exchange(nullptr) != nullptr;
  }

  /// Calls `see(function)` in order of first deployment.
  template <typename See>
  void for_each(const See& see) const {
    const lock_guard hold(lock_);
    for (const auto& function : functions_) see(*function);
  }

  /// Without the lock; from within for_each().
  template <typename See>
  static void see_versions(const function_record& function, const See& see) {
    for (const auto& version : function.versions_) see(*version);
  }

 private:
  struct entry {
    function_record* function;
    const entry* next;
  };
  struct table {
    explicit table(std::size_t count)
        : size(count), heads(new std::atomic<const entry*>[count]()) {}
    std::atomic<const entry*>& bucket(std::string_view name) const noexcept {
      return heads[std::hash<std::string_view>{}(name) & (size - 1)];
    }
    void add(function_record& function) {
      auto& head = bucket(function.name);
      entries.push_back(std::make_unique<entry>(
          entry{&function, head.load(std::memory_order_relaxed)}));
      // release: publishes the entry; pairs with the acquire in find().
      head.store(entries.back().get(), std::memory_order_release);
    }

    const std::size_t size;  // A power of two.
    const std::unique_ptr<std::atomic<const entry*>[]> heads;
    std::vector<std::unique_ptr<entry>> entries;
  };
  static constexpr std::size_t first_buckets = 64;

  void insert(function_record& function) {
    table& last = *tables_.back();
    if (functions_.size() <= last.size) {
      last.add(function);
      return;
    }
    auto wider = std::make_unique<table>(last.size * 2);
    for (const auto& each : functions_) wider->add(*each);
    tables_.push_back(std::move(wider));
    table_.store(tables_.back().get(), std::memory_order_release);
  }

  mutable lock lock_;  // Guards all writing.
  std::vector<std::unique_ptr<function_record>> functions_;
  std::vector<std::unique_ptr<table>> tables_;
  std::atomic<const table*> table_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
