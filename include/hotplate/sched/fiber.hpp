#pragma once

// Long because: it is all that a switch of stacks has to take care of.

#include <cxxabi.h>
#include <pthread.h>

#include <atomic>
#include <boost/context/detail/fcontext.hpp>
#include <cstdint>
#include <utility>

#include "hotplate/arena/stack_pool.hpp"
#include "hotplate/sched/task.hpp"

#if defined(HOTPLATE_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(HOTPLATE_TSAN)
#include <sanitizer/tsan_interface.h>
#endif

// The only file that switches stacks, and the only one that knows Boost.
//
// Three things belong to a thread but must follow a fiber: the caught and
// uncaught exceptions of the C++ runtime, and the sanitizers' idea of the
// stack. They are handed over here. The compilers take addresses of a thread's
// data for constants (errno, thread_local, __cxa_get_globals), so whoever may
// come back on another thread must not hold such an address across a switch:
// switch_to() is not inlined, the engine asks the fiber for its worker anew
// after each wait, and only fibers whose function says so ever move.

#if defined(HOTPLATE_TSAN) && defined(__clang__)
#define HOTPLATE_NO_TSAN \
  __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation))
#elif defined(HOTPLATE_TSAN)
#define HOTPLATE_NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define HOTPLATE_NO_TSAN
#endif

// Under ThreadSanitizer a switch stands in a function without its code.
#if defined(HOTPLATE_TSAN)
#define HOTPLATE_SWITCH_HERE HOTPLATE_NOINLINE HOTPLATE_NO_TSAN
#else
#define HOTPLATE_SWITCH_HERE HOTPLATE_INLINE
#endif

namespace hotplate::inline HOTPLATE_ABI::detail {

class worker;

/// The C++ runtime's exceptions of one thread (__cxa_eh_globals of the Itanium
/// ABI, 2.2.2): those being handled, and how many are not caught yet.
struct exception_state {
  void* caught = nullptr;
  unsigned uncaught = 0;
};

inline exception_state* exceptions_of_this_thread() noexcept {
  return reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
}

/// Meanwhile the calling thread handles no exception, and none is on its way:
/// what it runs must not see those of its caller.
class no_exceptions {
 public:
  no_exceptions() noexcept
      : of_(exceptions_of_this_thread()), before_(std::exchange(*of_, {})) {}
  no_exceptions(const no_exceptions&) = delete;
  no_exceptions& operator=(const no_exceptions&) = delete;
  ~no_exceptions() { *of_ = before_; }

 private:
  exception_state* const of_;
  const exception_state before_;
};

/// boost::context::detail::jump_fcontext(), entered by a jump, as it comes back
/// by one. Called, it would leave the processor's own list of return addresses
/// one too long at each switch, so that every return of those who were waiting
/// is predicted wrong, at 7 ns each. Only for functions that call others: those
/// keep nothing below the stack pointer.
HOTPLATE_INLINE boost::context::detail::transfer_t jump(
    boost::context::detail::fcontext_t to, void* data) noexcept {
#if defined(__x86_64__)
  boost::context::detail::transfer_t arrival;
  asm volatile(
      "leaq 1f(%%rip), %%rax\n\t"
      "pushq %%rax\n\t"
      "jmp jump_fcontext@PLT\n"
      "1:"
      : "=a"(arrival.fctx), "=d"(arrival.data), "+D"(to), "+S"(data)
      :
      : "rcx", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
        "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
        "xmm13", "xmm14", "xmm15",
#if defined(__AVX512F__)
        "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
        "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31",
        "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
        "memory", "cc");
  return arrival;
#else
  return boost::context::detail::jump_fcontext(to, data);
#endif
}

/// What the stack that is switched to does first, once nobody runs on the one
/// that was left: only now may that one be published to other threads.
struct after_switch {
  void (*act)(void* argument) = nullptr;
  void* argument = nullptr;
};

/// A stack and where its execution stands. Lives at the top of that stack, so
/// that a parked fiber keeps a single page.
/// Thread safety: belongs to its worker, but for wake(), call() and home().
class fiber {
 public:
  using entry = void (*)(fiber& self);

  /// What a fresh stack runs: code that stays as long as the stack
  /// (engine/resident.hpp), as its frame stays at the bottom.
  struct ground {
    ground(entry main) noexcept : start(main) {}
    entry start;
    void (*first_frame)(boost::context::detail::transfer_t) noexcept = &enter;
  };

  /// The thread's own stack.
  fiber() noexcept = default;
  /// A fresh stack, on which the first switch calls `on.start`.
  /// Its waits are numbered from after `wait` on.
  fiber(const stack_memory& stack, std::uint8_t stack_class, const ground& on,
        std::uint32_t wait = 0) noexcept
      : start_(on.start), stack_(stack), class_(stack_class), wait_(wait) {
    auto* const top = reinterpret_cast<std::byte*>(this);
    context_ = boost::context::detail::make_fcontext(
        top, static_cast<std::size_t>(top - stack.bottom), on.first_frame);
#if defined(HOTPLATE_TSAN)
    tsan_ = __tsan_create_fiber(0);
#endif
  }
  fiber(const fiber&) = delete;
  fiber& operator=(const fiber&) = delete;
  ~fiber() {
#if defined(HOTPLATE_TSAN)
    if (start_ != nullptr) __tsan_destroy_fiber(tsan_);
#endif
  }

  /// Makes this the stack of the calling thread. Only for the thread's own.
  void adopt_thread() noexcept {
    exceptions_ = exceptions_of_this_thread();
#if defined(HOTPLATE_ASAN)
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    void* bottom = nullptr;
    pthread_attr_getstack(&attributes, &bottom, &stack_.size);
    pthread_attr_destroy(&attributes);
    stack_.bottom = static_cast<std::byte*>(bottom);
#endif
#if defined(HOTPLATE_TSAN)
    tsan_ = __tsan_get_current_fiber();
#endif
  }

  /// Leaves this stack, which must be the running one, for `target`; returns
  /// when somebody switches back. `then` is called on the stack that was
  /// reached.
  HOTPLATE_NOINLINE HOTPLATE_NO_TSAN void switch_to(
      fiber& target, after_switch then = {}) noexcept {
    switch_here(target, then);
  }
  /// The same, without a return that the other side's calls make the processor
  /// predict wrong; for functions that look at nothing of their thread's.
  HOTPLATE_SWITCH_HERE void switch_here(fiber& target,
                                        after_switch then = {}) noexcept {
    departure leaving{this, &target, then};
    exception_state* const current = exceptions_;
    const exception_state mine = *current;
    if (mine.caught != nullptr || mine.uncaught != 0) [[unlikely]]
      *current = {};
    target.exceptions_ = current;
#if defined(HOTPLATE_ASAN)
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, target.stack_.bottom,
                                   target.stack_.size);
#endif
#if defined(HOTPLATE_TSAN)
    __tsan_switch_to_fiber(target.tsan_, 0);
#endif
    const boost::context::detail::transfer_t arrival =
        jump(target.context_, &leaving);
#if defined(HOTPLATE_ASAN)
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
    if (mine.caught != nullptr || mine.uncaught != 0) [[unlikely]] {
      *exceptions_ = mine;
    }
    arrive(arrival);
  }

  const stack_memory& stack() const noexcept { return stack_; }
  std::uint8_t stack_class() const noexcept { return class_; }
  bool owns_thread() const noexcept { return start_ == nullptr; }

  // A wait has a number. Whoever names it first, of all that may end the wait,
  // wakes the fiber; the others, however late, do nothing.

  /// Opens a wait; by the fiber itself, before it can be found by a waker.
  std::uint32_t arm() noexcept {
    open_parting();
    const std::uint32_t opened =
        (wait_.load(std::memory_order_relaxed) | 1) + 2;  // Odd: open.
    wait_.store(opened, std::memory_order_release);
    return opened;
  }
  /// True for the one caller that ends the wait.
  bool wake(std::uint32_t wait) noexcept {
    return wait_.compare_exchange_strong(wait, wait & ~std::uint32_t{1},
                                         std::memory_order_acq_rel,
                                         std::memory_order_relaxed);
  }

  std::uint32_t last_wait() const noexcept {
    return wait_.load(std::memory_order_relaxed);
  }

  // One that moves must not run elsewhere before it has been left here. Of two,
  // being called and being left, whoever comes second offers it to the workers.

  /// By the fiber itself, before it can be found by whoever calls it.
  void open_parting() noexcept { parting_.store(0, std::memory_order_relaxed); }
  /// True if it has been left.
  bool call() noexcept { return meet(was_called); }
  /// On the stack that was reached. True if it has been called.
  bool leave() noexcept { return meet(was_left); }

  /// The worker that it runs on, or last ran on; any thread may ask.
  worker* home() const noexcept {
    return home_.load(std::memory_order_relaxed);
  }
  void settle_at(worker& on) noexcept {
    home_.store(&on, std::memory_order_relaxed);
  }
  /// As it stands among tasks; only one whose task moves.
  task& as_task() noexcept { return mover_; }

  // The worker's bookkeeping.
  fiber* next = nullptr;
  fiber* next_made = nullptr;
  fiber* made_after = nullptr;
  task* runs = nullptr;  // Stale once that has ended.

 private:
  // Lives on the stack that is left, until that stack runs again.
  struct departure {
    fiber* from;
    fiber* to;
    after_switch then;
  };

  static constexpr std::uint8_t was_called = 1;
  static constexpr std::uint8_t was_left = 2;
  bool meet(std::uint8_t mine) noexcept {
    // acq_rel: who is second sees all that the first one did.
    return parting_.fetch_or(mine, std::memory_order_acq_rel) != 0;
  }

  HOTPLATE_NO_TSAN static void arrive(
      boost::context::detail::transfer_t arrival) noexcept {
    // A copy: `then` may let the left stack run again.
    const departure left = *static_cast<departure*>(arrival.data);
    left.from->context_ = arrival.fctx;
    if (left.then.act != nullptr) left.then.act(left.then.argument);
  }

  HOTPLATE_NO_TSAN static void enter(
      boost::context::detail::transfer_t arrival) noexcept {
#if defined(HOTPLATE_ASAN)
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
    fiber* const self = static_cast<departure*>(arrival.data)->to;
    arrive(arrival);
    self->start_(*self);
    std::abort();  // A fiber's entry never returns.
  }

  boost::context::detail::fcontext_t context_ = nullptr;
  entry start_ = nullptr;
  exception_state* exceptions_ = nullptr;  // Of the thread it runs on.
  stack_memory stack_{};
  std::uint8_t class_ = 0;
#if defined(HOTPLATE_TSAN)
  void* tsan_ = nullptr;
#endif
  // Written by whoever has it run, while it is suspended.
  std::atomic<worker*> home_ = nullptr;
  mover mover_{*this};
  // Written by arm() and wake(); the release pairs with wake()'s acquire.
  std::atomic<std::uint32_t> wait_ = 0;
  std::atomic<std::uint8_t> parting_ = 0;  // See call().
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
