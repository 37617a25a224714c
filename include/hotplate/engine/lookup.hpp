#pragma once

#include <cstring>
#include <string_view>
#include <type_traits>

#include "hotplate/engine/core.hpp"
#include "hotplate/engine/errors.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

struct found {
  function_record* function = nullptr;
  version_record* version = nullptr;
};

/// The live version of a name; "name:3" and its like are not found here.
inline found look_up(const registry& names, std::string_view name) noexcept {
  function_record* const function = names.find(name);
  if (function == nullptr) [[unlikely]]
    return {};
  return {function, function->live()};
}

/// Brings into the caches, at once, what an invocation will need one after the
/// other: of many functions, most have been driven out of them.
HOTPLATE_INLINE void fetch(const found& target) noexcept {
  const auto* const function =
      static_cast<const deployed_function*>(target.function);
  const auto* const version =
      static_cast<const deployed_version*>(target.version);
  __builtin_prefetch(version);
  __builtin_prefetch(&version->how.by_view);
  __builtin_prefetch(&version->fibers);
  version->instances.fetch();
  __builtin_prefetch(&function->limit, 1);
  __builtin_prefetch(&function->places);
  __builtin_prefetch(&function->meter);
}

/// And what only its worker has of them.
HOTPLATE_INLINE void fetch_own(const invocation& call,
                               std::size_t worker) noexcept {
  call.version->instances.fetch_own(worker);
  call.target->meter.fetch(worker);
}

/// The live version, if it still takes and returns what the caller means; after
/// a remove, the name may have come back with another signature.
inline version_record* live_version(const function_record& target,
                                    signature_id signature) noexcept {
  version_record* const live = target.live();
  if (live == nullptr) return nullptr;
  // The same object, mostly; another one in another shared object.
  if (live->how.signature == &signature) [[likely]]
    return live;
  return live->signature == signature.name() ? live : nullptr;
}

template <typename Event>
const call_shape* encoded_shape_of(const version_record& version) noexcept {
  return std::is_same_v<Event, payload> ? version.how.by_value
                                        : version.how.by_view;
}

inline failure object_to_event(const invocation& call, const call_shape* shape,
                               const engine_config& config) {
  if (shape == nullptr) return has_no_codec(call);
  if (call.event_bytes > config.max_event_bytes) {
    return is_too_large(call, errc::event_too_large, call.event_bytes,
                        config.max_event_bytes);
  }
  return nullptr;
}

inline std::string_view copy_into(arena& memory, std::string_view text) {
  if (text.empty()) return {};
  auto* const copy = static_cast<char*>(memory.allocate(text.size(), 1));
  std::memcpy(copy, text.data(), text.size());
  return {copy, text.size()};
}

/// What `keep` did not get from the arena, or from an argument's constructor.
HOTPLATE_NOINLINE inline void cannot_fill(invocation& call) {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    call.thrown = call.memory.exhausted()
                      ? used_up_memory(call)
                      : is_out_of_memory(call, "for an invocation");
  } catch (...) {  // An argument's own: its caller's to handle.
    core& engine = *call.engine;
    engine.refuse(call, cannot_decode(call, "an argument threw when moved"));
    engine.leave(call, engine.here());
    throw;
  }
}

HOTPLATE_NOINLINE inline void check_labels(invocation& call) {
  const label_set& kept = call.labels;
  if (kept.lost()) {
    call.thrown = is_out_of_memory(call, "to keep its tenant and trace");
  } else if (kept.tenant_bytes() > label_set::longest_tenant) {
    call.thrown = has_too_long(call, "tenant's name", kept.tenant_bytes(),
                               label_set::longest_tenant);
  } else if (kept.trace_bytes() > label_set::longest_trace) {
    call.thrown = has_too_long(call, "trace context", kept.trace_bytes(),
                               label_set::longest_trace);
  }
}

/// Makes room for a call and lets `construct` put its arguments there.
template <typename Args, typename Result, typename Construct>
void fill(invocation& call, const call_shape& shape, chunk_source& source,
          const Construct& construct) {
  const function_config& config = call.version->config;
  call.shape = &shape;
  call.is.untidy = !std::is_trivially_destructible_v<Result> ||
                   call.options.keep_log || config.scrub;
  try {
    call.make_room<Args, Result>(source, config.memory.bytes(), config.scrub);
    if (call.labels.any()) [[unlikely]]
      check_labels(call);
    construct();
    if constexpr (!std::is_trivially_destructible_v<Args>) {
      call.is.has_args = true;
      call.drop_args = &destroy_as<Args>;
    }
  } catch (...) {
    cannot_fill(call);
  }
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
