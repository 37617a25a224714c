#pragma once

#include <time.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"
#include "hotplate/engine/pumping.hpp"

// When a shared object whose functions were removed may be unloaded: once no
// record names their versions, no instance of them is left, and none of its
// continuations. An invocation names its version before it asks for its places,
// and looks after that whether the version was removed (core::is_gone), so that
// either it is found here or it never touches the handler. What else an engine
// keeps is its maker's code: resident.hpp.

namespace hotplate::inline HOTPLATE_ABI::detail {

inline module_use* core::use_of(module_id whose) noexcept {
  module_use* first = users_.load(std::memory_order_acquire);
  for (module_use* each = first; each != nullptr; each = each->next) {
    if (each->of == whose) return each;
  }
  auto* const made = new (std::nothrow) module_use;
  if (made == nullptr) return nullptr;
  made->of = whose;
  made->next = first;
  // Two threads may enter one each; both are looked at.
  while (!users_.compare_exchange_weak(made->next, made,
                                       std::memory_order_acq_rel)) {
  }
  return made;
}

/// Of one that was removed: what may still call its handler.
template <int>
core::version_uses core::uses_of(const deployed_version& version) {
  version_uses found;
  records_.for_each([&](invocation& call) {
    constexpr std::uint64_t over = invocation::settled | invocation::ended;
    const std::uint64_t state = call.state.load(std::memory_order_relaxed);
    // acquire: pairs with recycle(); what it did with the handler is over.
    if (std::atomic_ref(call.version).load(std::memory_order_acquire) !=
        &version) {
      return;
    }
    ++((state & (over | invocation::left)) == over ? found.untaken
                                                   : found.running);
  });
  found.instances = !version.instances.is_empty();
  return found;
}

/// In words, and whether that may end by itself.
template <int>
std::vector<std::string> core::uses_of(module_id gone, bool& may_end) {
  std::vector<std::string> uses;
  may_end = true;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  names_.for_each([&](const function_record& each) {
    const auto& function = static_cast<const deployed_function&>(each);
    // acquire: sees the records of those who entered before the removal.
    static_cast<void>(function.limit.inside());
    registry::see_versions(each, [&](const version_record& version) {
      if (version.how.module != gone) return;
      const std::string_view name = each.name;
      if (!version.removed()) {
        may_end = false;
        uses.push_back(sentence({"function ", name, ", version ",
                                 version.number, ": it is not removed"}));
        return;
      }
      const version_uses left =
          uses_of(static_cast<const deployed_version&>(version));
      if (!left.any()) return;
      uses.push_back(
          sentence({"function ", name, ", version ", version.number, ": ",
                    left.running, " invocations have not ended, ", left.untaken,
                    " outcomes are not taken",
                    left.instances ? ", instances are left" : ""}));
    });
  });
  // After the handlers, which may have made some.
  for (const module_use* each = users_.load(std::memory_order_acquire);
       each != nullptr; each = each->next) {
    const std::int64_t count = each->count.load(std::memory_order_acquire);
    if (each->of != gone || count == 0) continue;
    uses.push_back(sentence({count, " of its continuations have not ended"}));
  }
  const sender* const events = sender_.load(std::memory_order_acquire);
  if (events != nullptr && events->module == gone) {
    may_end = false;
    uses.emplace_back("it was the first to send an event: its code sends them");
  }
  return uses;
}

/// What they captured, instances share, or are copied from; and their policies,
/// whose code is theirs. Destroyed without a lock: it is user code.
template <int>
void core::forget_handlers(module_id gone) {
  std::vector<std::shared_ptr<void>> forgotten;
  names_.for_each([&](function_record& each) {
    registry::see_versions(each, [&](version_record& version) {
      if (version.how.module != gone) return;
      forgotten.push_back(std::move(version.how.prototype));
      forgotten.push_back(std::move(version.config.keep_alive_by));
      version.how.module = nullptr;
    });
  });
}

inline void core::idle_until(std::int64_t until) {
  const pumping pump(threads_);
  constexpr timespec nap{0, 200'000};
  if (!pump) {
    nanosleep(&nap, nullptr);
  } else if (!pump_once(*pump)) {
    pump_next_timer(*pump, until);
  }
}

template <int>
std::vector<std::string> core::drain(module_id gone,
                                     std::chrono::nanoseconds within) {
  if (is_forked()) return {"the engine: this process was forked from its own"};
  constexpr std::int64_t nap = 200'000;
  const std::int64_t from = time_.now();
  const std::int64_t until =
      within.count() < forever - from ? from + within.count() : forever;
  for (;;) {
    bool may_end = true;
    std::vector<std::string> uses = uses_of(gone, may_end);
    const std::int64_t now = time_.now();
    if (uses.empty()) forget_handlers(gone);
    if (uses.empty() || !may_end || now >= until) return uses;
    idle_until(std::min(until, now + nap));
  }
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
