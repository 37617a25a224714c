#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "hotplate/base/asymmetric_fence.hpp"
#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/futex.hpp"
#include "hotplate/instances/instance.hpp"
#include "hotplate/metering/histogram.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Idle instances by the time of their last use.
/// Thread safety: none, but that any thread may ask whether newest() is null.
class instance_list {
 public:
  instance* newest() const noexcept {
    return newest_.load(std::memory_order_relaxed);
  }
  instance* oldest() const noexcept { return oldest_; }

  // Whoever comes first: mostly, the newest.
  void link(instance& idle) noexcept {
    instance* newer = nullptr;
    instance* older = newest();
    while (older != nullptr && older->idle_since > idle.idle_since) {
      newer = older;
      older = older->older;
    }
    idle.newer = newer;
    idle.older = older;
    set_older(newer, &idle);
    *(older == nullptr ? &oldest_ : &older->newer) = &idle;
  }

  void unlink(instance& used) noexcept {
    set_older(used.newer, used.older);
    *(used.older == nullptr ? &oldest_ : &used.older->newer) = used.newer;
  }

 private:
  void set_older(instance* newer, instance* older) noexcept {
    if (newer == nullptr) {
      newest_.store(older, std::memory_order_relaxed);
    } else {
      newer->older = older;
    }
  }

  std::atomic<instance*> newest_ = nullptr;
  instance* oldest_ = nullptr;
};

/// All instances of a pool that are initialised and not ending.
/// Thread safety: none.
class instance_roll {
 public:
  instance* first() const noexcept { return first_; }
  template <typename See>
  void for_each(const See& see) const {
    for (instance* each = first_; each != nullptr; each = each->next) {
      see(*each);
    }
  }
  void add(instance& made) noexcept {
    made.next = first_;
    made.previous = nullptr;
    if (first_ != nullptr) first_->previous = &made;
    first_ = &made;
  }
  void remove(instance& gone) noexcept {
    *(gone.previous == nullptr ? &first_ : &gone.previous->next) = gone.next;
    if (gone.next != nullptr) gone.next->previous = gone.previous;
  }

 private:
  instance* first_ = nullptr;
};

/// Where one worker keeps the instance that it used last.
struct alignas(cache_line) place {
  // Its worker puts; its worker, and others under the pool's lock, take.
  std::atomic<instance*> newest = nullptr;
  // Written by its worker.
  std::atomic<std::int64_t> put_at = 0;
  tally idle{};

  instance* take() noexcept {
    // seq_cst: pairs with close(), which must find what came before it.
    if (newest.load(std::memory_order_seq_cst) == nullptr) return nullptr;
    // acquire: sees what its last invocation did; pairs with put().
    return newest.exchange(nullptr, std::memory_order_acq_rel);
  }
  /// Returns the one that lay there before. Whether anybody has changed since
  /// what is to become of `used`, is to be looked at after this: `fence` is
  /// between the two.
  instance* put(instance& used, std::int64_t now,
                const asymmetric_fence& fence) noexcept {
    put_at.store(now, std::memory_order_relaxed);
    const bool empty = newest.load(std::memory_order_relaxed) == nullptr;
    if (!empty || !fence.armed()) [[unlikely]]
      return newest.exchange(&used, std::memory_order_seq_cst);
    // Only its worker fills it, so it is empty still.
    newest.store(&used, std::memory_order_release);
    fence.light();
    return nullptr;
  }
};

/// The idle instances of one version: the one that a worker gave back last on
/// that worker's place, the others in a list.
/// Thread safety: own() from any thread, and its take() and put() from that
/// worker; the rest under the lock of whoever owns this.
class idle_set {
 public:
  explicit idle_set(std::size_t workers) noexcept : workers_(workers) {}
  idle_set(const idle_set&) = delete;
  idle_set& operator=(const idle_set&) = delete;
  ~idle_set() { delete[] places_.load(std::memory_order_relaxed); }

  /// A worker's place; null for a spare one, and as long as there are none.
  place* own(std::size_t worker) const noexcept {
    // acquire: pairs with the release in make_places().
    place* const all = places_.load(std::memory_order_acquire);
    return all == nullptr || worker >= workers_ ? nullptr : all + worker;
  }

  void make_places() noexcept {
    if (places_.load(std::memory_order_relaxed) != nullptr) return;
    // release: publishes the empty places; without memory, the list will do.
    places_.store(new (std::nothrow) place[workers_],
                  std::memory_order_release);
  }

  void add(instance& idle) noexcept { list_.link(idle); }

  /// Counts the time that one was idle, until it was taken at `now`.
  void count(const instance& taken, std::int64_t now) noexcept {
    count(idle_time(taken.idle_since, now));
  }
  void count(std::int64_t idle) noexcept { spent_ += idle; }

  /// Without the lock: whether one can be seen. One that is being looked at for
  /// its age cannot.
  bool has_any() const noexcept {
    if (list_.newest() != nullptr) return true;
    for (const place& each : all_places()) {
      if (each.newest.load(std::memory_order_seq_cst) != nullptr) return true;
    }
    return false;
  }

  /// The one of the list used last, else one from any place.
  instance* take(std::int64_t now) noexcept {
    instance* found = list_.newest();
    if (found != nullptr) list_.unlink(*found);
    for (place& other : all_places()) {
      if (found != nullptr) break;
      found = other.take();
    }
    if (found != nullptr) count(*found, now);
    return found;
  }

  /// The one that is idle longest, if since `latest` or before; else null. Not
  /// counted yet.
  instance* take_since(std::int64_t latest) noexcept {
    for (place& each : all_places()) {
      if (each.put_at.load(std::memory_order_relaxed) > latest) continue;
      if (instance* const idle = each.take()) list_.link(*idle);
    }
    instance* const gone = list_.oldest();
    if (gone == nullptr || gone->idle_since > latest) return nullptr;
    list_.unlink(*gone);
    return gone;
  }

  /// For a policy's, which are all in the list: one that was to be kept until
  /// `now` or before, and is not counted yet; or null.
  instance* take_due(std::int64_t now) noexcept {
    instance* due = list_.oldest();
    while (due != nullptr && due->keep_until > now) due = due->newer;
    if (due != nullptr) list_.unlink(*due);
    return due;
  }
  /// The next `keep_until` of these; `forever` if there is none.
  std::int64_t soonest() const noexcept {
    std::int64_t soonest = forever;
    for (instance* at = list_.newest(); at != nullptr; at = at->older) {
      soonest = std::min(soonest, at->keep_until);
    }
    return soonest;
  }

  /// Since when the one that is idle longest is; `forever` if none is.
  std::int64_t oldest() const noexcept {
    std::int64_t oldest =
        list_.oldest() != nullptr ? list_.oldest()->idle_since : forever;
    for (const place& each : all_places()) {
      if (each.newest.load(std::memory_order_seq_cst) == nullptr) continue;
      oldest = std::min(oldest, each.put_at.load(std::memory_order_relaxed));
    }
    return oldest;
  }

  /// Notes in each idle instance since when it is.
  void note() const noexcept {
    for (instance* at = list_.newest(); at != nullptr; at = at->older) {
      at->noted_since = at->idle_since;
    }
    for (const place& each : all_places()) {
      instance* const idle = each.newest.load(std::memory_order_seq_cst);
      if (idle == nullptr) continue;
      idle->noted_since = each.put_at.load(std::memory_order_relaxed);
    }
  }

  /// Time that instances have spent idle, up to `now`.
  std::int64_t spent(std::int64_t now) const noexcept {
    std::int64_t sum = spent_;
    for (const instance* at = list_.newest(); at != nullptr; at = at->older) {
      sum += idle_time(at->idle_since, now);
    }
    for (const place& each : all_places()) {
      sum += static_cast<std::int64_t>(read(each.idle));
      if (each.newest.load(std::memory_order_acquire) == nullptr) continue;
      sum += idle_time(each.put_at.load(std::memory_order_relaxed), now);
    }
    return sum;
  }

 private:
  std::span<place> all_places() const noexcept {
    place* const all = places_.load(std::memory_order_acquire);
    return {all, all == nullptr ? 0 : workers_};
  }

  const std::size_t workers_;
  // Written under the lock, in make_places(): once.
  std::atomic<place*> places_ = nullptr;
  instance_list list_;
  std::int64_t spent_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
