#pragma once

// Long because: it is the whole record of an invocation, with its invariants.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stop_token>
#include <string_view>

#include "hotplate/admission/gate.hpp"
#include "hotplate/admission/waiting_room.hpp"
#include "hotplate/base/asymmetric_fence.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/context.hpp"
#include "hotplate/engine/labels.hpp"
#include "hotplate/engine/log_tail.hpp"
#include "hotplate/engine/resident_code.hpp"
#include "hotplate/instances/lease.hpp"
#include "hotplate/metering/recorder.hpp"
#include "hotplate/outcome.hpp"
#include "hotplate/payload.hpp"
#include "hotplate/source_location.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

class core;

/// A handler that was interrupted or starved may have left its instance in any
/// state; one that threw has cleaned up behind itself (P4).
inline bool leaves_instance_sound(errc verdict) noexcept {
  return verdict != errc::timed_out && verdict != errc::out_of_memory &&
         verdict != errc::resource_exhausted && verdict != errc::cancelled;
}

/// A function with what the engine's stages keep for it.
struct deployed_function final : function_record {
  deployed_function(std::string its_name, std::size_t workers)
      : function_record(std::move(its_name)), limit(0), meter(workers) {}

  gate limit;
  // Where its places come from: the engine's common ones, or the reserved.
  std::atomic<gate*> places = nullptr;
  waiting_line line;
  // Settled and not ended. Changed by whoever settles, and by the handler's
  // side as it ends; for a moment it may be too small by those who just settle.
  std::atomic<std::int64_t> overruns = 0;
  // Guarded by core's reserving_.
  std::int64_t reserved = 0;
  bool gives_back = false;  // It is in core's to_give_back_.
  deployed_function* next_to_give_back = nullptr;
  recorder meter;
  // Classes of stacks that only this function uses, by that of their size; 0:
  // none. Guarded by the registry's lock.
  std::array<std::uint8_t, stack_pool::common_classes> own_stacks{};
};

struct deployed_version final : version_record {
  deployed_version(std::uint32_t its_number, const function_config& its_config,
                   handler its_handler, std::string_view function,
                   fiber_kind runs_on, scheduler& threads, clock_source& time,
                   instance_budget& budget, instance_ends& ends,
                   instance_rooms& rooms)
      : version_record(its_number, its_config, std::move(its_handler)),
        fibers(runs_on),
        instances(*this, function,
                  runs_on.stack_class != no_stack
                      ? runs_on.stack_class
                      : stack_pool::class_of(config.stack_bytes),
                  threads, time, budget, ends, rooms) {}

  const fiber_kind fibers;  // No stack: a thread's own.
  instance_pool instances;
  deployed_version* next_closing = nullptr;  // As the engine ends.
};

/// Is told, once and by whoever settles it, that an invocation has settled.
struct watcher {
  void (*tell)(watcher& self) noexcept = nullptr;
};

/// Whose places there are too few of.
enum class scarce : std::uint8_t { nothing, function, engine, tenant, tenants };

/// What one invocation is and how far it has come. Records are recycled and
/// their memory stays mapped, so that a late look (by the watchdog, a timer, a
/// cancelling caller) finds a record, and its generation tells that it is not
/// the same invocation any more; or it finds zeros, if the memory was given
/// back: generation 0, which no invocation has.
/// I1: whoever sets `claimed` settles it: alone writes used and failure, then
///     sets `settled`.
/// I2: whoever sets the last of `settled`, `ended` and `left` recycles it.
/// I3: the handler's side writes the fields of its progress, anybody may read
///     them; all are atomics, and none says more than how far it has come.
/// I4: an idle record has no failure, nothing thrown, no chunks, no parent, no
///     event, no loan, neither version nor user, and nobody awaited or
///     followed; what else is new for each invocation, open() writes.
/// I5: while a record has a version, that one's handler may be called; while it
///     is counted by a module_use, code of that shared object. See unload.hpp.
/// What every invocation uses stands in front: where its caller and its handler
/// are on two processors, each cache line goes there and back.
struct invocation final : task, waiter {
  enum flag : std::uint64_t {
    claimed = 1,
    settled = 2,
    ended = 4,          // The handler's side does not touch it any more.
    left = 8,           // Nor does the caller's.
    thread_waits = 16,  // On the low half of `state`, a futex.
    fiber_waits = 32,   // `caller`, in its wait `wait_number`.
    watched = 64,       // `watching` is to be told.
    half_over = 128,    // Of one settled early: see core::share_place_back().
    stands = 256,       // Its caller does, until it has settled.
    challenged = 512,   // Somebody else is about to claim it, if that is so.
  };

  static constexpr int generation_shift = 32;
  // Generations are odd.
  static constexpr std::uint64_t first_generation = 1;
  static constexpr std::uint64_t next_generation = 2;

  invocation(core& owner, const resident_code& code, std::uint32_t number,
             std::uint64_t last_generation)
      : task(code.handling),
        state(last_generation << generation_shift | claimed | settled | ended |
              left),
        engine(&owner),
        slot(number),
        handlers_view(code.handlers_see, this, memory, at) {
    alarm.target = limit.target = this;
    alarm.fire = code.end_wait;
    limit.fire = code.end_by_deadline;
  }
  invocation(const invocation&) = delete;
  invocation& operator=(const invocation&) = delete;

  // --- settle once
  std::atomic<std::uint64_t> state;
  std::atomic<std::uint64_t> closing = 0;  // Generation; see claim().
  std::atomic<fiber*> caller = nullptr;
  /// All of it is false for a new invocation: one word, written at once.
  struct alignas(8) notes {
    bool direct = false;  // `caller` stands still on this worker until settled.
    bool early = false;   // Settled before its handler had ended.
    bool encoded = false;  // The result is a payload.
    bool has_args = false;
    bool has_result = false;
    bool untidy = false;      // May have failed, or has more to clean up.
    bool stoppable = false;   // Has a `stopper`.
    errc verdict = errc::ok;  // Of the handler's side; `failure` says more.
  };
  notes is;

  // --- what is called, how
  core* const engine;
  const std::uint32_t slot;  // With the generation, the invocation's number.
  deployed_function* target = nullptr;
  deployed_version* version = nullptr;
  const call_shape* shape = nullptr;
  void* args = nullptr;
  void* result = nullptr;
  /// The caller's own code, for one that is refused because of a removal.
  void (*drop_args)(void* args) noexcept = nullptr;
  // Of invoke_options, what is asked for later.
  struct {
    hotplate::trigger trigger = trigger::direct;
    bool keep_log = false;
    std::uint32_t attempt = 1;
  } options;
  label_set labels;
  event_id event = 0;  // That was sent.
  ticket permit;
  // That others may share, of `version`'s pool: guarded by that (share.hpp).
  instance* loan = nullptr;
  std::size_t event_bytes = 0;

  // --- who waits for whom
  invocation* parent = nullptr;
  std::uint64_t parent_generation = 0;
  std::atomic<invocation*> awaited = nullptr;  // A child, run directly.

  // --- progress (I3), in nanoseconds of the engine's clock
  static constexpr std::int64_t never = -1;
  std::atomic<std::int64_t> deadline = 0;
  std::atomic<std::int64_t> started = never;  // Init or handler, the first.
  std::atomic<std::int64_t> handler_started = never;
  // While it is: what it was before, less the time and 1, so less than 0.
  std::atomic<std::int64_t> suspended = 0;
  std::atomic<stage> reached = stage::arrival;
  std::atomic<start_kind> start = start_kind::none;
  std::int64_t arrived = 0;
  /// The caller's and its caller's deadline, or what marks a continuation.
  std::int64_t bound = 0;
  static constexpr std::int64_t continues =
      std::numeric_limits<std::int64_t>::min() + 1;
  std::int64_t settled_at = 0;

  // --- how it ended
  owned<const made_error> thrown;  // The handler's side's own.
  owned<const made_error> failure;
  // Made by the handler's side when it asks for a token.
  std::atomic<std::stop_source*> stopper = nullptr;

  /// Of an idle one; or by who has claimed it, of those that are to settle.
  invocation* next_free = nullptr;
  hotplate::arena memory;
  context handlers_view;
  static constexpr std::size_t room = 256;
  alignas(std::max_align_t) std::array<std::byte, room> space;

  // --- what most do without
  std::atomic<std::uint32_t> wait_number = 0;
  std::atomic<std::uint32_t> sleep_number = 0;  // Of the wait cancel() may end.
  watcher* watching = nullptr;
  std::atomic<fiber*> on = nullptr;
  marked_location at;  // In the handler's code, where it last may have waited.
  timer alarm;         // The end of a wait.
  timer limit;  // The deadline, while nobody looks at what this one runs.
  std::atomic<invocation*> followed = nullptr;  // What a continuation follows.
  std::atomic<std::uint64_t> followed_generation = 0;
  module_use* user = nullptr;        // Of a continuation: whose code it is.
  std::size_t result_alignment = 0;  // Of a result on the heap, else 0.
  // Of one that waits for a place: what was full when it came.
  struct {
    scarce of = scarce::nothing;
    std::int64_t limit = 0;
  } lacks;
  std::size_t response_bytes = 0;  // Only if `encoded`.
  log_tail log;
  usage used;  // Of one that settled early; otherwise usage_of() is final.

  // --- reading the state
  std::uint64_t generation() const noexcept {
    return state.load(std::memory_order_acquire) >> generation_shift;
  }
  bool has(std::uint64_t flags) const noexcept {
    // acquire: pairs with the release of whoever set them.
    return (state.load(std::memory_order_acquire) & flags) != 0;
  }

  bool is_continuation() const noexcept {
    return version == nullptr && bound == continues;
  }

  void count_as_overrun(int change) noexcept {
    if (target == nullptr) return;
    target->overruns.fetch_add(change, std::memory_order_relaxed);
  }

  /// A continuation that has not started: it will be told how its source ended,
  /// and must not be ended before. (A handler has started when it reaches its
  /// stage.)
  bool is_to_continue() const noexcept {
    return reached.load(std::memory_order_relaxed) == stage::handler &&
           started.load(std::memory_order_relaxed) == never;
  }

  /// Has `by` told when it settles; false if it has settled. By the caller's
  /// side, which stays until unwatch(), or until it has been told.
  bool watch(watcher& by) noexcept {
    // Whoever settled it may still be about to tell the one before.
    if (has(settled)) return false;
    watching = &by;
    // release: publishes `watching`; pairs with core::answer().
    const std::uint64_t seen =
        state.fetch_or(watched, std::memory_order_acq_rel);
    return (seen & settled) == 0;
  }
  /// False if the watcher has been told, or is just being told; or if it is not
  /// the same invocation any more.
  bool unwatch(std::uint64_t generation) noexcept {
    std::uint64_t seen = state.load(std::memory_order_relaxed);
    do {
      if ((seen >> generation_shift) != generation) return false;
      if ((seen & settled) != 0) return false;
    } while (!state.compare_exchange_weak(seen, seen & ~std::uint64_t{watched},
                                          std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Of a change of state: whether it set the last of the three (I2).
  static bool is_last(std::uint64_t before, std::uint64_t after) noexcept {
    constexpr std::uint64_t all = settled | ended | left;
    return (before & all) != all && (after & all) == all;
  }

  /// True for the one that may settle it. For the handler's side, which knows
  /// that it is still the same invocation. Where its caller stands still, so
  /// that nobody but who settles or challenges it writes its state, no locked
  /// instruction: of this and who challenges, `fence` between the two steps of
  /// each, one sees the other; who sees that this is closing leaves it to this.
  HOTPLATE_INLINE bool claim(const asymmetric_fence& fence) noexcept {
    const std::uint64_t before = state.load(std::memory_order_relaxed);
    if ((before & stands) == 0 || !fence.armed()) return claim();
    closing.store(before >> generation_shift, std::memory_order_relaxed);
    fence.light();
    const std::uint64_t seen = state.load(std::memory_order_relaxed);
    if ((seen & (claimed | challenged)) != 0) [[unlikely]]
      return claim();
    state.store(seen | claimed, std::memory_order_release);
    return true;
  }
  bool claim() noexcept {
    std::uint64_t seen = state.load(std::memory_order_relaxed);
    do {
      if ((seen & claimed) != 0) [[unlikely]]
        return false;
    } while (!state.compare_exchange_weak(seen, seen | claimed,
                                          std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// The same, for all others.
  bool claim(std::uint64_t generation, const asymmetric_fence& fence) noexcept {
    if (generation == 0) return false;  // It was read from no record.
    if (!set(challenged, generation, stands)) {
      return set(claimed, generation, 0);
    }
    fence.heavy();
    if (closing.load(std::memory_order_seq_cst) == generation) return false;
    return set(claimed, generation, 0);
  }

  /// Unless it is claimed, or another invocation, or lacks one of `of`.
  bool set(std::uint64_t flags, std::uint64_t generation,
           std::uint64_t of) noexcept {
    std::uint64_t seen = state.load(std::memory_order_relaxed);
    do {
      if ((seen >> generation_shift) != generation) return false;
      if ((seen & claimed) != 0 || (seen & of) != of) return false;
    } while (!state.compare_exchange_weak(seen, seen | flags,
                                          std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
    return true;
  }

  /// Room for arguments and result; what is left is the arena's first piece.
  /// What does not fit the record goes to the arena, and the result, which must
  /// outlive that, to the heap.
  template <typename Args, typename Result>
  void make_room(chunk_source& source, std::size_t most, bool scrub = false) {
    unpoison(space.data(), room);  // The last arena here started elsewhere.
    constexpr std::size_t after = sizeof(Args);
    constexpr std::size_t result_at =
        (after + alignof(Result) - 1) / alignof(Result) * alignof(Result);
    constexpr std::size_t taken = result_at + sizeof(Result);
    if constexpr (taken <= room && alignof(Args) <= alignof(std::max_align_t) &&
                  alignof(Result) <= alignof(std::max_align_t)) {
      memory.open(source, space.data() + taken, room - taken, most, scrub);
      args = space.data();
      result = space.data() + result_at;
    } else {
      memory.open(source, space.data(), room, most, scrub);
      args = memory.allocate(sizeof(Args), alignof(Args));
      result =
          ::operator new (sizeof(Result), std::align_val_t{alignof(Result)});
      result_alignment = alignof(Result);
      is.untidy = true;
    }
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
