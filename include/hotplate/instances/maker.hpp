#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "hotplate/base/lock.hpp"
#include "hotplate/describe.hpp"
#include "hotplate/instances/instance.hpp"
#include "hotplate/registry/records.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Makes and ends the instances of one version; here the handler's own init,
/// copy, destructor and hook are called. With a snapshot, the first instance is
/// initialised and copied before its first use; all others are copies of that.
/// Thread safety: all members may be called from any thread, make() and end()
/// on a fiber.
class instance_maker {
 public:
  instance_maker(const version_record& version, std::string_view function,
                 instance_rooms& rooms) noexcept
      : version_(version), function_(function), rooms_(rooms) {}
  instance_maker(const instance_maker&) = delete;
  instance_maker& operator=(const instance_maker&) = delete;

  std::string_view function() const noexcept { return function_; }

  /// How the next one will be made, as far as can be told.
  start_kind next() const noexcept {
    if (!version_.config.snapshot) return start_kind::cold;
    const lock_guard hold(lock_);
    return image_ == nullptr ? start_kind::cold : start_kind::restored;
  }

  /// Throws whatever the handler's own code throws. In that worker's rooms.
  instance* make(std::size_t worker) {
    const std::shared_ptr<void> image = snapshot();
    const handler& how = version_.how;
    std::unique_ptr<instance, room_giver> made(
        allocate_instance(how, rooms_, worker), {how, rooms_});
    if (version_.config.max_uses > 0)
      made->uses_left.store(version_.config.max_uses,
                            std::memory_order_relaxed);
    if (how.state_size == 0) {
      made->state = how.prototype.get();
    } else if (image != nullptr) {
      how.copy(made->state, image.get());
    } else {
      init_context ctx(function_, version_.number, version_.config);
      how.init(made->state, how.prototype.get(), ctx);
      if (version_.config.snapshot) take_snapshot(made->state);
    }
    return made.release();
  }

  void end(instance& gone) noexcept {
    const handler& how = version_.how;
    if (how.on_retire != nullptr) how.on_retire(gone.state, gone.ends_for);
    destroy(gone.state);
    free_instance(&gone, how, rooms_);
  }

  /// Instances and snapshots whose destructor has thrown; they are gone.
  std::uint64_t failed_ends() const noexcept {
    return failed_ends_.load(std::memory_order_relaxed);
  }

  instance_info info_of(const instance& seen, std::int64_t now) const noexcept {
    const std::int64_t most = version_.config.max_uses > 0
                                  ? version_.config.max_uses
                                  : std::numeric_limits<std::int64_t>::max();
    instance_info made;
    made.age = std::chrono::nanoseconds(now - seen.made_at);
    made.uses = static_cast<std::uint64_t>(
        most - seen.uses_left.load(std::memory_order_relaxed));
    if (seen.noted_since != forever) {
      made.state = instance_state::idle;
      made.idle = std::chrono::nanoseconds(idle_time(seen.noted_since, now));
    } else {
      made.in_use = std::max(seen.in_use, 1);
    }
    made.bytes = sizeof(instance) + version_.how.state_size;
    return made;
  }

  /// Whether ending an instance runs none of the handler's code.
  bool ends_silently() const noexcept {
    return version_.how.destroy == nullptr && version_.how.on_retire == nullptr;
  }

  /// From now on a snapshot is kept.
  void want_snapshot() noexcept {
    const lock_guard hold(lock_);
    wanted_ = true;
  }
  /// From now on none is. On a fiber.
  void drop_snapshot() noexcept {
    std::shared_ptr<void> gone;
    const lock_guard hold(lock_);
    wanted_ = false;
    gone.swap(image_);
  }
  bool has_snapshot() const noexcept {
    const lock_guard hold(lock_);
    return image_ != nullptr;
  }

 private:
  struct room_giver {
    void operator()(instance* unused) const noexcept {
      free_instance(unused, how, rooms);
    }
    const handler& how;
    instance_rooms& rooms;
  };

  // What a destructor throws ends there: nobody could do anything about it.
  void destroy(void* state) noexcept {
    if (version_.how.destroy == nullptr) return;
    try {
      version_.how.destroy(state);
    } catch (...) {
      failed_ends_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  std::shared_ptr<void> snapshot() const noexcept {
    if (!version_.config.snapshot) return nullptr;
    const lock_guard hold(lock_);
    return image_;
  }

  // Of several that are initialised at once, the last one's stays. A state that
  // cannot be copied now is used without: the next one is initialised as well.
  void take_snapshot(const void* state) noexcept {
    const handler& how = version_.how;
    const auto alignment = std::align_val_t{how.state_alignment};
    void* memory = nullptr;
    try {
      memory = ::operator new(how.state_size, alignment);
      how.copy(memory, state);
    } catch (...) {
      ::operator delete(memory, alignment);
      return;
    }
    keep_snapshot(memory, alignment);
  }

  void keep_snapshot(void* memory, std::align_val_t alignment) noexcept {
    const auto discard = [this, alignment](void* gone) {
      destroy(gone);
      ::operator delete(gone, alignment);
    };
    try {
      std::shared_ptr<void> image(memory, discard);
      const lock_guard hold(lock_);
      if (wanted_) image_.swap(image);
    } catch (const std::bad_alloc&) {  // shared_ptr has discarded it.
    }
  }

  const version_record& version_;
  const std::string_view function_;
  instance_rooms& rooms_;
  std::atomic<std::uint64_t> failed_ends_ = 0;
  mutable lock lock_;  // Guards what follows.
  bool wanted_ = false;
  std::shared_ptr<void> image_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
