#pragma once

#include "hotplate/sched/overflow_hook.hpp"

// Not part of hotplate.hpp: who wants no report pays nothing for it.

namespace hotplate::inline HOTPLATE_ABI {

/// While one lives, a handler that overflows its stack is named, with the size
/// of that stack, in a line on stderr; then the process ends by SIGSEGV as it
/// would have without. Pass it to engines as engine_config::overflows.
///
/// Process-wide: the first installs a handler of SIGSEGV (a guard never answers
/// with another signal on Linux), the last one's end restores what was there.
/// What was there, if anything, is called for every SIGSEGV, ours and others,
/// afterwards; a handler installed later than this must do the same, and ask
/// for SA_ONSTACK. Workers, those of blocking functions too, and threads while
/// they pump or are in invoke_here, get an alternate signal stack of 64 KiB,
/// unless the thread has one. On a thread's own stack frames larger than its
/// guard (mostly 4 KiB) may jump that.
/// Errors: std::system_error. Lifetime: outlives its engines, and ends before
/// the shared object is unloaded that made it. Thread safety: any thread.
class overflow_report : public detail::overflow_watch {
 public:
  overflow_report()
      : overflow_watch{&detail::overflow_hook::take,
                       &detail::overflow_hook::leave,
                       &detail::overflow_hook::clear},
        drop_(&detail::overflow_hook::drop_user) {
    detail::overflow_hook::add_user();
  }
  overflow_report(const overflow_report&) = delete;
  overflow_report& operator=(const overflow_report&) = delete;
  ~overflow_report() { drop_(); }

 private:
  void (*const drop_)() noexcept;  // Of the shared object that made it.
};

}  // namespace hotplate::inline HOTPLATE_ABI
