#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <utility>

#include "hotplate/base/cache_line.hpp"
#include "hotplate/base/lock.hpp"
#include "hotplate/instances/idle_set.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A worker's share of a pool: the instances that it has made, wherever they
/// are used and end. They are counted and listed here, so that workers that
/// start cold all the time write no line of each other's.
/// Thread safety: all members may be called from any thread.
/// I1: exist + rooms is what the pool has granted, if that has a limit.
struct alignas(cache_line) instance_shard {
  mutable lock guard;  // Guards what follows; taken after the pool's.
  instance_roll all;   // Initialised, not ending.
  // Written under the guard. release, acquire: who reads that none is left may
  // destroy what they were made of.
  std::atomic<std::int64_t> exist = 0;  // Being made, in use, idle or ending.
  std::atomic<std::int64_t> ending = 0;
  std::int64_t rooms = 0;  // Of the pool's limit, for further ones.

  bool take_room(bool limited) noexcept {
    const lock_guard hold(guard);
    if (limited && --rooms < 0) [[unlikely]] {
      rooms = 0;
      return false;
    }
    change(exist, 1);
    return true;
  }
  /// One of so many rooms is taken at once.
  void accept(std::int64_t granted) noexcept {
    const lock_guard hold(guard);
    rooms += granted - 1;
    change(exist, 1);
  }
  void give_room(bool limited) noexcept {
    const lock_guard hold(guard);
    free_room(limited);
  }

  void add(instance& made) noexcept {
    const lock_guard hold(guard);
    all.add(made);
  }
  /// One that has no end to speak of: nobody notices when.
  void remove(instance& gone, bool limited) noexcept {
    const lock_guard hold(guard);
    all.remove(gone);
    free_room(limited);
  }

  void begin_end(instance& gone) noexcept {
    const lock_guard hold(guard);
    all.remove(gone);
    change(ending, 1);
  }
  void take_back(instance& unharmed) noexcept {
    const lock_guard hold(guard);
    all.add(unharmed);
    change(ending, -1);
  }
  void finish_end(bool limited) noexcept {
    const lock_guard hold(guard);
    change(ending, -1);
    free_room(limited);
  }

 private:
  static void change(std::atomic<std::int64_t>& count,
                     std::int64_t by) noexcept {
    count.store(count.load(std::memory_order_relaxed) + by,
                std::memory_order_release);
  }
  void free_room(bool limited) noexcept {
    if (limited) ++rooms;
    change(exist, -1);
  }
};

/// The shards of a pool, if it has any.
/// Thread safety: all members may be called from any thread, make() and those
/// that look at all of them under the pool's lock.
class instance_shards {
 public:
  instance_shards(std::size_t workers, bool limited) noexcept
      : workers_(workers), limited_(limited) {}
  instance_shards(const instance_shards&) = delete;
  instance_shards& operator=(const instance_shards&) = delete;
  ~instance_shards() { delete[] all_.load(std::memory_order_relaxed); }

  /// Whether what they have counts against the pool's limit.
  bool limited() const noexcept { return limited_; }

  /// A worker's; null for a spare one, and as long as there are none.
  instance_shard* own(std::size_t worker) const noexcept {
    // acquire: pairs with the release in make().
    instance_shard* const all = all_.load(std::memory_order_acquire);
    return all == nullptr || worker >= workers_ ? nullptr : all + worker;
  }

  /// Where it is counted and listed; null: by the pool itself.
  instance_shard* of(const instance& made) const noexcept {
    return made.home == 0 ? nullptr : own(made.home - std::size_t{1});
  }
  std::size_t worker_of(const instance_shard& one) const noexcept {
    return static_cast<std::size_t>(&one - own(0));
  }
  /// Before any other thread knows of it.
  void settle_in(instance& made, instance_shard& home) const noexcept {
    made.home = static_cast<std::uint16_t>(worker_of(home) + 1);
    home.add(made);
  }

  /// Without memory, the pool will do.
  void make() noexcept {
    if (own(0) != nullptr) return;
    all_.store(new (std::nothrow) instance_shard[workers_],
               std::memory_order_release);
  }

  std::span<instance_shard> all() const noexcept {
    instance_shard* const first = own(0);
    return {first, first == nullptr ? 0 : workers_};
  }

  std::int64_t exist() const noexcept { return sum(&instance_shard::exist); }
  /// Those that are not ending; not as of one moment.
  std::int64_t live() const noexcept { return exist() - ending(); }
  std::int64_t ending() const noexcept { return sum(&instance_shard::ending); }

  /// All the rooms that they have left, and how many instances were ending, as
  /// of one moment.
  std::int64_t collect(std::int64_t& ending) const noexcept {
    const hold held(*this);
    std::int64_t rooms = 0;
    for (instance_shard& each : all()) {
      rooms += std::exchange(each.rooms, 0);
      ending += each.ending.load(std::memory_order_relaxed);
    }
    return rooms;
  }

  /// While it lives, nothing in them changes.
  class [[nodiscard]] hold {
   public:
    explicit hold(const instance_shards& of) noexcept : of_(of) {
      for (instance_shard& each : of_.all()) each.guard.acquire();
    }
    hold(const hold&) = delete;
    hold& operator=(const hold&) = delete;
    ~hold() {
      for (instance_shard& each : of_.all()) each.guard.release();
    }

   private:
    const instance_shards& of_;
  };

 private:
  std::int64_t sum(
      std::atomic<std::int64_t> instance_shard::*count) const noexcept {
    std::int64_t sum = 0;
    for (const instance_shard& each : all()) {
      sum += (each.*count).load(std::memory_order_acquire);
    }
    return sum;
  }

  const std::size_t workers_;
  const bool limited_;
  // Written under the pool's lock, in make(): once.
  std::atomic<instance_shard*> all_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
