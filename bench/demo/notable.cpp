#include "demo/notable.hpp"

#include <algorithm>
#include <new>

#include "hotplate/error.hpp"

namespace demo {

void notable_log::on_invocation(
    const hotplate::metered_invocation& call) noexcept {
  const bool cold = call.usage.start == hotplate::start_kind::cold;
  if (!cold && call.failure == nullptr) return;
  const std::lock_guard hold(mutex_);
  if (is_known(call)) return;
  try {
    entries_.push_back({std::string(call.function), call.usage,
                        call.failure ? call.failure->message : ""});
  } catch (const std::bad_alloc&) {  // Then this one is not shown.
  }
}

bool notable_log::is_known(const hotplate::metered_invocation& call) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const notable_invocation& one) {
                       return one.function == call.function &&
                              one.message.empty() == (call.failure == nullptr);
                     });
}

std::vector<notable_invocation> notable_log::entries() const {
  const std::lock_guard hold(mutex_);
  return entries_;
}

}  // namespace demo
