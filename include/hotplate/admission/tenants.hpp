#pragma once

#include <new>
#include <string>
#include <string_view>
#include <utility>

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
        limited_(usual_ != boundless),
        crowd_(most) {}

  /// Whether any tenant has a limit: otherwise nobody asks further.
  bool limited() const noexcept {
    return limited_.load(std::memory_order_relaxed);
  }

  /// What `enter(gate&)` says of the tenant's gate, which may be entered until
  /// it returns; or one of the two below.
  template <typename Enter>
  const gate* with(std::string_view tenant, const Enter& enter) noexcept try {
    const lock_guard hold(lock_);
    gate* const its = find_or_make(tenant);
    return its == nullptr ? &crowd_ : enter(*its);
  } catch (const std::bad_alloc&) {
    return &unknown_;
  }

  /// Sets a tenant's own limit.
  void set_limit(std::string_view tenant, std::int64_t limit) {
    const lock_guard hold(lock_);
    entry& known = make(tenant);
    own_limits_ += known.own ? 0 : 1;
    known.own = true;
    known.places.set_limit(limit);
    limited_.store(true, std::memory_order_relaxed);
  }

  /// From now on it has the usual one, if any.
  void drop_limit(std::string_view tenant) noexcept {
    const lock_guard hold(lock_);
    entry* const known = find(tenant);
    if (known == nullptr || !std::exchange(known->own, false)) return;
    known->places.set_limit(usual_);
    --own_limits_;
    limited_.store(own_limits_ > 0 || usual_ != boundless,
                   std::memory_order_relaxed);
  }

  /// Stands for the limit on their number.
  const gate& crowd() const noexcept { return crowd_; }
  /// Stands for a tenant's gate for which there was no memory.
  const gate& unknown() const noexcept { return unknown_; }

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

  gate* find_or_make(std::string_view tenant) {
    if (entry* const known = find(tenant)) return &known->places;
    const auto most = static_cast<std::size_t>(crowd_.limit());
    if (by_name_.size() >= most && !forget_idle()) return nullptr;
    return &make(tenant).places;
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
  std::atomic<bool> limited_;  // Written under the lock.
  const gate crowd_;
  const gate unknown_{0};
  mutable lock lock_;  // Guards the rest.
  owned_list<entry> by_name_;
  std::size_t own_limits_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
