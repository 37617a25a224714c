#pragma once

#include <string>
#include <string_view>

#include "hotplate/admission/gate.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The gates of tenants, made when a tenant is first seen. A gate that nobody
/// is in, and that has no limit of its own, is forgotten once there are as many
/// tenants as allowed.
/// Thread safety: all members may be called from any thread.
class tenants {
 public:
  /// A `usual_limit` of 0 is none.
  tenants(std::int64_t usual_limit, std::int64_t most)
      : usual_(usual_limit == 0 ? boundless : usual_limit),
        limited_(usual_limit != 0),
        crowd_(most) {}

  /// Whether any tenant has a limit: otherwise nobody asks further.
  bool limited() const noexcept {
    return limited_.load(std::memory_order_relaxed);
  }

  /// Calls `enter` with the tenant's gate, which may be entered until it
  /// returns; with null, if there are as many tenants as allowed.
  template <typename Enter>
  auto with(std::string_view tenant, const Enter& enter) noexcept {
    const lock_guard hold(lock_);
    return enter(find_or_make(tenant));
  }

  /// Sets a tenant's own limit.
  void set_limit(std::string_view tenant, std::int64_t limit) {
    const lock_guard hold(lock_);
    entry& known = make(tenant);
    known.own = true;
    known.places.set_limit(limit);
    limited_.store(true, std::memory_order_relaxed);
  }

  /// Stands for the limit on their number.
  const gate& crowd() const noexcept { return crowd_; }

  template <typename See>
  void for_each(const See& see) const {
    const lock_guard hold(lock_);
    for (const entry& each : by_name_) see(each.name, each.places);
  }

 private:
  static constexpr std::int64_t boundless = std::int64_t{1} << 40;
  struct entry {
    entry(std::string_view its_name, std::int64_t limit)
        : name(its_name), places(limit) {}
    const std::string name;
    gate places;
    bool own = false;
  };

  gate* find_or_make(std::string_view tenant) noexcept try {
    if (entry* const known = find(tenant)) return &known->places;
    const auto most = static_cast<std::size_t>(crowd_.limit());
    if (by_name_.size() >= most && !forget_idle()) return nullptr;
    return &make(tenant).places;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }

  /// That of the first name that does not come before it.
  std::size_t place_of(std::string_view tenant) const noexcept {
    std::size_t from = 0;
    std::size_t to = by_name_.size();
    while (from < to) {
      const std::size_t middle = (from + to) / 2;
      if (by_name_[middle].name < tenant) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  entry* find(std::string_view tenant) const noexcept {
    const std::size_t at = place_of(tenant);
    const bool known = at < by_name_.size() && by_name_[at].name == tenant;
    return known ? &by_name_[at] : nullptr;
  }

  entry& make(std::string_view tenant) {
    if (entry* const known = find(tenant)) return *known;
    return by_name_.insert(place_of(tenant), make_owned<entry>(tenant, usual_));
  }

  // All of them at once: to look for one costs as much.
  bool forget_idle() noexcept {
    return by_name_.erase_if([](const entry& each) {
      return !each.own && each.places.inside() == 0;
    }) > 0;
  }

  const std::int64_t usual_;
  std::atomic<bool> limited_;  // Written under the lock, and never taken back.
  const gate crowd_;
  mutable lock lock_;  // Guards the rest.
  owned_list<entry> by_name_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
