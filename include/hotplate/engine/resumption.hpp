#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "hotplate/engine/access.hpp"
#include "hotplate/engine/continuation.hpp"
#include "hotplate/engine/then.hpp"

// Coroutines as continuations: what coroutine.hpp shows.

namespace hotplate::inline HOTPLATE_ABI::detail {

template <typename P>
struct is_pending : std::false_type {};
template <typename T>
struct is_pending<pending<T>> : std::true_type {};
template <typename P>
concept any_pending = is_pending<std::remove_cvref_t<P>>::value;

/// Resumes a coroutine.
struct resumption : link {
  using stored_result = nothing;

  explicit resumption(std::coroutine_handle<> its) : suspended(its) {}

  static void run(void*, context&, void* args, void*) {
    static_cast<resumption*>(args)->suspended.resume();
  }

  std::coroutine_handle<> suspended;
};
template <typename Executor>
struct resumption_elsewhere : resumption {
  resumption_elsewhere(std::coroutine_handle<> its, Executor&& executor)
      : resumption(its), where(std::move(executor)) {
    this->pass_on = &continuations::pass_on<resumption_elsewhere>;
  }

  Executor where;
};

/// The caller's side of a continuation that resumes or counts.
class footing {
 public:
  footing() noexcept = default;
  footing(footing&& other) noexcept
      : next_(std::exchange(other.next_, nullptr)) {}
  footing& operator=(footing&&) = delete;
  ~footing() { leave(); }

  void leave() noexcept {
    if (next_ != nullptr) continuations::drop(*std::exchange(next_, nullptr));
  }

  /// All of it, and this, may be gone when it returns.
  template <typename Args, typename... Given>
  void follow(invocation& source, way run, module_id whose, Given&&... given) {
    next_ = continuations::make<Args, nothing>(
        *source.engine, follower_shape<Args>, run, whose,
        [&](void* place) { new (place) Args(std::forward<Given>(given)...); });
    if (next_ == nullptr) {
      source.engine->throw_if_forked();
      throw std::bad_alloc();
    }
    continuations::insist(*next_);
    continuations::follow(*next_, *static_cast<Args*>(next_->args), source);
  }

 private:
  invocation* next_ = nullptr;
};

template <typename T>
class [[nodiscard]] awaiting {
 public:
  explicit awaiting(pending<T>& source) noexcept : source_(source) {}

  bool await_ready() const noexcept { return source_.ready(); }
  HOTPLATE_OWN_COPY void await_suspend(std::coroutine_handle<> suspended) {
    next_.template follow<resumption>(*access::invocation_of(source_),
                                      way::on_the_pool, this_module(),
                                      suspended);
  }
  outcome<T> await_resume() {
    next_.leave();
    return source_.get();
  }

 protected:
  pending<T>& source_;
  footing next_;
};

template <typename T, typename Executor>
class [[nodiscard]] awaiting_elsewhere : public awaiting<T> {
 public:
  awaiting_elsewhere(pending<T>& source, Executor&& where) noexcept
      : awaiting<T>(source), where_(std::move(where)) {}

  HOTPLATE_OWN_COPY void await_suspend(std::coroutine_handle<> suspended) {
    using args = resumption_elsewhere<Executor>;
    this->next_.template follow<args>(*access::invocation_of(this->source_),
                                      way::on_executor, this_module(),
                                      suspended, std::move(where_));
  }

 private:
  Executor where_;
};

/// What several continuations of one coroutine share: who finds nothing missing
/// any more resumes it, unless it is still on its way into suspension.
struct gathering {
  gathering(std::size_t first_missing, std::coroutine_handle<> its) noexcept
      : missing(first_missing), suspended(its) {}

  void arrive() noexcept {
    if (missing.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    if (meet()) suspended.resume();
  }
  /// True for the second of two: completion, and the end of suspending.
  bool meet() noexcept { return met.exchange(true, std::memory_order_acq_rel); }
  void forget() noexcept {
    missing.store(~std::size_t{0}, std::memory_order_release);
  }

  std::atomic<std::size_t> missing;
  std::atomic<bool> met = false;
  const std::coroutine_handle<> suspended;
};

struct arrival : link {
  using stored_result = nothing;

  explicit arrival(std::shared_ptr<gathering> its) noexcept
      : of(std::move(its)) {}

  static void run(void*, context&, void* args, void*) {
    static_cast<arrival*>(args)->of->arrive();
  }

  std::shared_ptr<gathering> of;
};

/// Awaits several, or any of them. A null one is ready.
class awaiting_several {
 public:
  awaiting_several(std::vector<invocation*> sources, bool any) noexcept
      : sources_(std::move(sources)), any_(any) {}
  awaiting_several(const awaiting_several&) = delete;
  awaiting_several& operator=(const awaiting_several&) = delete;
  ~awaiting_several() { leave(); }

  bool await_ready() const noexcept {
    const std::size_t ready = count_ready();
    return ready == sources_.size() || (any_ && ready > 0);
  }

  HOTPLATE_OWN_COPY bool await_suspend(std::coroutine_handle<> suspended) {
    const std::size_t missing = any_ ? 1 : sources_.size();
    // Not by std::make_shared: see deploy.hpp.
    const std::shared_ptr<gathering> all(new gathering(missing, suspended));
    shared_ = all;
    nexts_.reserve(sources_.size());
    for (invocation* const source : sources_) {
      if (source == nullptr) {
        all->arrive();
      } else {
        nexts_.emplace_back().template follow<arrival>(
            *source, way::on_the_pool, this_module(), all);
      }
    }
    return !all->meet();
  }

 protected:
  void leave() noexcept {
    if (shared_ != nullptr) shared_->forget();
    nexts_.clear();
  }
  std::size_t index_of_ready() const noexcept {
    std::size_t i = 0;
    while (i < sources_.size() && !ready(sources_[i])) ++i;
    return i;
  }

 private:
  static bool ready(const invocation* source) noexcept {
    return source == nullptr || source->has(invocation::settled);
  }
  std::size_t count_ready() const noexcept {
    std::size_t count = 0;
    for (const invocation* const each : sources_) count += ready(each) ? 1 : 0;
    return count;
  }

  std::vector<invocation*> sources_;
  const bool any_;
  std::shared_ptr<gathering> shared_;
  std::vector<footing> nexts_;
};

template <typename T>
std::vector<invocation*> invocations_of(
    const std::vector<pending<T>>& several) {
  std::vector<invocation*> all;
  all.reserve(several.size());
  for (const pending<T>& each : several) {
    all.push_back(access::invocation_of(each));
  }
  return all;
}

class [[nodiscard]] awaiting_any : public awaiting_several {
 public:
  explicit awaiting_any(std::vector<invocation*> sources) noexcept
      : awaiting_several(std::move(sources), true) {}

  std::size_t await_resume() {
    leave();
    return index_of_ready();
  }
};

template <typename... P>
class [[nodiscard]] awaiting_all : public awaiting_several {
 public:
  explicit awaiting_all(P&... several)
      : awaiting_several({access::invocation_of(several)...}, false),
        several_(several...) {}

  auto await_resume() {
    leave();
    return std::apply([](P&... each) { return std::tuple(each.get()...); },
                      several_);
  }

 private:
  std::tuple<P&...> several_;
};

template <typename T>
class [[nodiscard]] awaiting_every : public awaiting_several {
 public:
  explicit awaiting_every(std::vector<pending<T>>& several)
      : awaiting_several(invocations_of(several), false), several_(several) {}

  std::vector<outcome<T>> await_resume() {
    leave();
    std::vector<outcome<T>> all;
    all.reserve(several_.size());
    for (pending<T>& each : several_) all.push_back(each.get());
    return all;
  }

 private:
  std::vector<pending<T>>& several_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
