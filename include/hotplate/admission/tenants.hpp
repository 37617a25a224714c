#pragma once

#include <cstddef>
#include <cstdint>
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
    for (const entry& each : all_) see(each.name, each.places);
  }

 private:
  static constexpr std::int64_t boundless = std::int64_t{1} << 40;
  // A gate has a cache line of its own, and the next has what finds it.
  struct entry {
    entry(std::string_view its_name, std::int64_t limit)
        : places(limit), name(its_name) {}
    gate places;
    const std::string name;
    bool own = false;
  };
  // By hash, in a power of two of slots of which half are free, each where its
  // hash says or behind: one look at the slots and one at the tenant, however
  // many there are.
  struct slot {
    std::size_t hash = 0;
    entry* tenant = nullptr;
  };
  using index = owned_array<slot>;

  static std::size_t hash_of(std::string_view tenant) noexcept {
    return std::hash<std::string_view>{}(tenant);
  }

  gate* find_or_make(std::string_view tenant) {
    if (entry* const known = find(tenant)) return &known->places;
    const auto most = static_cast<std::size_t>(crowd_.limit());
    if (all_.size() >= most && !forget_idle()) return nullptr;
    return &make(tenant).places;
  }

  entry* find(std::string_view tenant) const noexcept {
    if (index_ == nullptr) return nullptr;
    const std::size_t hash = hash_of(tenant);
    const std::size_t mask = index_->size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const slot& seen = (*index_)[at];
      if (seen.tenant == nullptr) return nullptr;
      if (seen.hash != hash) continue;
      __builtin_prefetch(&seen.tenant->places, 1);
      if (seen.tenant->name == tenant) return seen.tenant;
    }
  }

  entry& make(std::string_view tenant) {
    if (entry* const known = find(tenant)) return *known;
    auto made = make_owned<entry>(tenant, usual_);
    make_room(all_.size() + 1);
    entry& added = all_.push_back(std::move(made));
    place(*index_, {hash_of(tenant), &added});
    return added;
  }

  void make_room(std::size_t count) {
    constexpr std::size_t fewest = 16;
    std::size_t slots = index_ == nullptr ? fewest : index_->size();
    if (index_ != nullptr && 2 * count <= slots) return;
    while (slots < 2 * count) slots *= 2;
    index_ = make_owned<index>(slots);
    for (entry& each : all_) place(*index_, {hash_of(each.name), &each});
  }

  static void place(const index& in, const slot& added) noexcept {
    const std::size_t mask = in.size() - 1;
    std::size_t at = added.hash & mask;
    while (in[at].tenant != nullptr) at = (at + 1) & mask;
    in[at] = added;
  }

  // All of them at once: to look for one costs as much.
  bool forget_idle() noexcept {
    const std::size_t forgotten = all_.erase_if([](const entry& each) {
      return !each.own && each.places.inside() == 0;
    });
    if (forgotten == 0) return false;
    for (slot& each : *index_) each = {};
    for (entry& each : all_) place(*index_, {hash_of(each.name), &each});
    return true;
  }

  const std::int64_t usual_;
  std::atomic<bool> limited_;  // Written under the lock.
  const gate crowd_;
  const gate unknown_{0};
  mutable lock lock_;  // Guards the rest.
  owned_list<entry> all_;
  owned<index> index_;
  std::size_t own_limits_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
