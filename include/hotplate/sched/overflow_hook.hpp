#pragma once

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "hotplate/sched/overflow.hpp"
#include "hotplate/sched/worker.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// The SIGSEGV handler and all that it reads. Hidden: each shared object has
/// its own whole set, which cannot split between two and keeps none of them
/// loaded; sets of several objects chain.
class __attribute__((visibility("hidden"))) overflow_hook {
 public:
  static void add_user();
  static void drop_user() noexcept;

  static void take(overflow_seat& seat) noexcept;
  static void leave(overflow_seat& seat) noexcept;
  static void clear(overflow_seat& seat) noexcept;

 private:
  void install();
  void remove() noexcept;

  static void on_fault(int signal, siginfo_t* info, void* context);
  struct handlers_stack {
    const void* bottom = nullptr;
    std::size_t size = 0;  // 0: not known, or no handler runs there.
    bool is_threads = false;
  };
  static void learn_stack(overflow_seat& seat) noexcept;
  static handlers_stack stack_of(const overflow_seat& seat) noexcept;
  static bool has_overflowed(const handlers_stack& stack, const void* touched,
                             const void* context) noexcept;
  static void report(const handlers_stack& stack, const task* runs) noexcept;
  static void pass_on(int signal, siginfo_t* info, void* context);
  static void die(int signal, bool was_sent) noexcept;

  // fprintf on 32 KiB overflowed it, and a host's own handler may print.
  static constexpr std::size_t alternate_bytes = std::size_t{64} << 10;
  static constexpr std::size_t alternate_guard = std::size_t{64} << 10;

  lock lock_;  // Guards what follows; the handler reads it without.
  int users_ = 0;
  bool in_chain_ = false;
  struct sigaction before_ = {};
  pthread_key_t seat_ = {};  // The innermost seat of each thread.
};

// Constant, and never destroyed: a signal may come at any time.
__attribute__((
    visibility("hidden"))) inline constinit overflow_hook overflow_hook_here;

inline void overflow_hook::add_user() {
  overflow_hook& here = overflow_hook_here;
  const lock_guard hold(here.lock_);
  if (!here.in_chain_) here.install();
  ++here.users_;
}

inline void overflow_hook::drop_user() noexcept {
  overflow_hook& here = overflow_hook_here;
  const lock_guard hold(here.lock_);
  if (--here.users_ == 0) here.remove();
}

inline void overflow_hook::install() {
  const int failed = pthread_key_create(&seat_, nullptr);
  if (failed != 0) {
    throw std::system_error(failed, std::generic_category(),
                            "hotplate: no pthread key for an overflow_report");
  }
  // First what the handler reads. Its mask and flags are those of the one that
  // it calls, which then runs as it would have.
  sigaction(SIGSEGV, nullptr, &before_);
  struct sigaction own = before_;
  own.sa_sigaction = &on_fault;
  own.sa_flags =
      SA_SIGINFO | SA_ONSTACK | (before_.sa_flags & (SA_NODEFER | SA_RESTART));
  sigaction(SIGSEGV, &own, nullptr);
  in_chain_ = true;
}

// If somebody has installed another one since, that one may call ours, which
// then stays to pass on what comes.
inline void overflow_hook::remove() noexcept {
  struct sigaction now = {};
  sigaction(SIGSEGV, nullptr, &now);
  const bool ours =
      (now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == &on_fault;
  if (!ours) return;
  sigaction(SIGSEGV, &before_, nullptr);
  pthread_key_delete(seat_);
  in_chain_ = false;
}

inline void overflow_hook::take(overflow_seat& seat) noexcept {
  const pthread_key_t key = overflow_hook_here.seat_;
  seat.outer = static_cast<overflow_seat*>(pthread_getspecific(key));
  pthread_setspecific(key, &seat);
  if (seat.on->is_plain()) learn_stack(seat);
  stack_t present = {};
  sigaltstack(nullptr, &present);
  if ((present.ss_flags & SS_DISABLE) == 0) return;
  if (seat.alternate_stack == nullptr) {
    void* const start =
        mmap(nullptr, alternate_guard + alternate_bytes, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) return;
    seat.alternate_stack = start;
    mprotect(static_cast<std::byte*>(start) + alternate_guard, alternate_bytes,
             PROT_READ | PROT_WRITE);
  }
  stack_t own = {};
  own.ss_sp = static_cast<std::byte*>(seat.alternate_stack) + alternate_guard;
  own.ss_size = alternate_bytes;
  seat.has_installed_stack = sigaltstack(&own, nullptr) == 0;
}

// Where handlers run on the thread's own stack: one question for each thread,
// as for the main one it reads /proc/self/maps.
inline void overflow_hook::learn_stack(overflow_seat& seat) noexcept {
  const pthread_t self = pthread_self();
  if (seat.threads_stack_bytes != 0 && pthread_equal(seat.thread, self) != 0) {
    return;
  }
  seat.threads_stack_bytes = 0;
  pthread_attr_t about;
  if (pthread_getattr_np(self, &about) != 0) return;
  std::size_t bytes = 0;
  if (pthread_attr_getstack(&about, &seat.threads_stack, &bytes) == 0) {
    seat.threads_stack_bytes = bytes;
    seat.thread = self;
  }
  pthread_attr_destroy(&about);
}

inline void overflow_hook::leave(overflow_seat& seat) noexcept {
  pthread_setspecific(overflow_hook_here.seat_, seat.outer);
  if (!seat.has_installed_stack) return;
  stack_t none = {};
  none.ss_flags = SS_DISABLE;
  sigaltstack(&none, nullptr);
  seat.has_installed_stack = false;
}

inline void overflow_hook::clear(overflow_seat& seat) noexcept {
  if (seat.alternate_stack == nullptr) return;
  munmap(seat.alternate_stack, alternate_guard + alternate_bytes);
}

// From here on, in the signal handler: no locks, no heap. pthread_getspecific()
// is a read of the thread's own memory in the C libraries of Linux.

inline void overflow_hook::on_fault(int signal, siginfo_t* info,
                                    void* context) {
  const int error_before = errno;
  const bool was_sent = info->si_code <= 0;  // By somebody; no address.
  const overflow_seat* seat = static_cast<const overflow_seat*>(
      pthread_getspecific(overflow_hook_here.seat_));
  for (; seat != nullptr && !was_sent; seat = seat->outer) {
    const handlers_stack stack = stack_of(*seat);
    if (!has_overflowed(stack, info->si_addr, context)) continue;
    report(stack, seat->on->current().runs);
    break;  // Two handlers may be on one thread's stack: this is the inner one.
  }
  errno = error_before;
  pass_on(signal, info, context);
}

inline overflow_hook::handlers_stack overflow_hook::stack_of(
    const overflow_seat& seat) noexcept {
  const fiber& current = seat.on->current();
  if (!current.owns_thread()) {
    return {current.stack().bottom, current.stack().size, false};
  }
  if (!seat.on->is_plain()) return {};
  return {seat.threads_stack, seat.threads_stack_bytes, true};
}

inline bool overflow_hook::has_overflowed(const handlers_stack& stack,
                                          const void* touched,
                                          const void* context) noexcept {
  if (stack.size == 0) return false;
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  const auto pointer = static_cast<std::uintptr_t>(machine.gregs[REG_RSP]);
#else
  const auto pointer = static_cast<std::uintptr_t>(machine.sp);
#endif
  // A wild write into a guard comes from a stack that has room: its pointer is
  // far above. A call's own push, or a leaf's red zone, is not.
  constexpr std::uintptr_t reach = 256;
  const auto bottom = reinterpret_cast<std::uintptr_t>(stack.bottom);
  const auto place = reinterpret_cast<std::uintptr_t>(touched);
  return place < bottom && bottom - place <= stack_pool::guard_bytes &&
         pointer < bottom + reach;
}

inline void overflow_hook::report(const handlers_stack& stack,
                                  const task* runs) noexcept {
  char line[256];
  std::size_t length = 0;
  const auto add = [&](std::string_view words) {
    const std::size_t room = sizeof line - length;
    const std::size_t size = words.size() < room ? words.size() : room;
    std::memcpy(line + length, words.data(), size);
    length += size;
  };
  char digits[20];
  char* first = digits + sizeof digits;
  for (std::size_t left = stack.size; left > 0; left /= 10) {
    *--first = static_cast<char>('0' + left % 10);
  }
  const std::string_view name = runs != nullptr && runs->name != nullptr
                                    ? runs->name(*runs)
                                    : std::string_view();
  add("hotplate: ");
  add(name.empty() ? "a continuation" : "function ");
  add(name);
  add(stack.is_threads ? " overflowed its thread's stack of "
                       : " overflowed its stack of ");
  add({first, static_cast<std::size_t>(digits + sizeof digits - first)});
  add(" bytes");
  const bool may_have_more = !name.empty() && !stack.is_threads;
  add(!may_have_more ? "\n" : "; raise function_config::stack_bytes\n");
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, length);
}

inline void overflow_hook::pass_on(int signal, siginfo_t* info, void* context) {
  const struct sigaction before = overflow_hook_here.before_;
  const bool was_sent = info->si_code <= 0;
  if ((before.sa_flags & SA_SIGINFO) == 0) {
    if (before.sa_handler == SIG_IGN && was_sent) return;
    if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN) {
      return die(signal, was_sent);
    }
  }
  if ((static_cast<unsigned>(before.sa_flags) & SA_RESETHAND) != 0) {
    struct sigaction once = {};
    once.sa_handler = SIG_DFL;
    sigaction(signal, &once, nullptr);
  }
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, context);
  } else {
    before.sa_handler(signal);
  }
}

// A fault comes again as soon as this returns, and the dump shows its place.
inline void overflow_hook::die(int signal, bool was_sent) noexcept {
  struct sigaction fatal = {};
  fatal.sa_handler = SIG_DFL;
  sigaction(signal, &fatal, nullptr);
  if (was_sent) raise(signal);
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
