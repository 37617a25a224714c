#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotplate/base/lock.hpp"
#include "hotplate/base/owned.hpp"
#include "hotplate/delivery.hpp"
#include "hotplate/engine/core.hpp"
#include "hotplate/engine/memory_store.hpp"
#include "hotplate/event_store.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Sends events: takes them in (accept.hpp), attempts them (attempts.hpp), and
/// keeps what failed (letters.hpp). One for an engine, made when first asked
/// for.
///
/// Thread safety: all public members may be called from any thread.
///
/// I1: an event that is queued is in one place: in the hands of one thread, in
///     an attempt, which its `follow_up` follows, or in due_.
/// I2: due_ and letters_ have room for every queued event, so that none is lost
///     for want of memory.
/// I3: once closed_, due_ is empty and the timer is not armed.
/// Stress: tests/stress/send_stress_test.cpp
class post_office final : public sender {
 public:
  static post_office& of(core& engine);
  explicit post_office(core& engine);
  post_office(const post_office&) = delete;
  post_office& operator=(const post_office&) = delete;

  outcome<event_id> send(std::string_view name, payload_view event,
                         const send_options& options);

  // --- letters.hpp
  std::vector<dead_letter> letters();
  outcome<event_id> replay(event_id id);
  bool drop(event_id id);

 private:
  struct sweep;
  using owned_event = owned<stored_event>;

  /// What follows an attempt. Destroyed without having been called, or while
  /// that throws, it has the event tried again.
  struct follow_up {
    follow_up(post_office& its, owned_event of) noexcept
        : office(&its), event(std::move(of)) {}
    follow_up(follow_up&&) noexcept = default;
    ~follow_up() {
      if (event != nullptr) office->keep_trying(event->id);
    }

    void operator()(outcome<payload> ended) {
      office->settle(*event, ended);
      event.reset();
    }

    post_office* office;
    owned_event event;
  };

  struct due_event {
    std::int64_t when;
    std::uint64_t number;  // Of two at one time, the one that came first.
    event_id id;
    friend bool operator<(const due_event& a, const due_event& b) noexcept {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  // --- accept.hpp
  outcome<event_id> accepted(event_id id, bool known, std::size_t event_bytes);
  static outcome<event_id> answer(event_id id, std::size_t event_bytes);
  static outcome<event_id> refuse(failure why, std::size_t event_bytes);
  const version_record* version_of(std::string_view name,
                                   std::uint64_t number) const noexcept;
  failure object_to(std::string_view name, const version_record* version,
                    payload_view event, const send_options& options) const;
  failure enter(std::string_view name);
  failure take_place(std::string_view name);
  void give_place_back() noexcept;
  event_store::added store(stored_event& made);
  std::string_view trace_here() const noexcept;
  failure lacks_keys(std::string_view name,
                     std::chrono::milliseconds keeps) const;
  std::chrono::milliseconds until_one_ends() const noexcept;

  // --- attempts.hpp
  void attempt(owned_event event, payload bytes) noexcept;
  void settle(stored_event& event, outcome<payload>& ended);
  static bool is_permanent(errc code) noexcept;
  void fail_or_retry(stored_event& event);
  retry_policy policy_of(const stored_event& event) const;
  std::chrono::nanoseconds backoff(const stored_event& event,
                                   const retry_policy& policy) const noexcept;
  bool wait_until(stored_event& event, time_point due);
  void add_due(std::int64_t when, event_id id) noexcept;
  void keep_trying(event_id id) noexcept;
  void arm() noexcept;
  void arm_for(std::int64_t when) noexcept;
  static void fire(void* self, std::uint64_t token, std::int64_t now) noexcept;
  void launch_due() noexcept;
  event_id take_due() noexcept;
  owned_event take_out(event_id id) noexcept;
  void launch(owned_event event) noexcept;

  // --- forget.hpp
  void forget(event_id id) noexcept;
  bool try_erase(event_id id) noexcept;
  void erase_the_rest(bool at_once) noexcept;
  void keep_unerased(std::span<const event_id> more) noexcept;

  // --- letters.hpp
  void adopt();
  void succeed(const stored_event& event, payload response);
  void fail(stored_event& event, failed_because reason);
  void deliver(const stored_event& of, const std::string& to,
               const payload& response);
  delivery describe(const stored_event& of, const payload& response);
  void bury(stored_event& event, failed_because reason);
  void count_end(bool succeeded) noexcept;
  bool take_letter(event_id id) noexcept;
  failure take_back(event_id id, std::string_view function);
  owned_event revive(event_id id, payload& bytes);
  void return_letter(event_id id) noexcept;
  std::uint64_t close() noexcept;

  // seq_cst: pairs with core::stop_sending().
  bool is_draining() const noexcept {
    return engine_.draining_.load(std::memory_order_seq_cst);
  }
  failure draining_error(std::string_view name) const {
    return make_error(
        engine_, errc::draining, name,
        sentence({"function ", name,
                  " is sent nothing more: the engine is shutting down"}));
  }
  /// Room for `count`, as push_back would make it.
  template <typename T>
  static void reserve(std::vector<T>& all, std::size_t count) {
    if (all.capacity() < count) all.reserve(2 * count);
  }

  static constexpr std::size_t longest_key = 256;
  static constexpr std::uint32_t most_hops = 16;
  static constexpr std::int64_t a_while = 1'000'000'000;

  core& engine_;
  memory_store own_;
  event_store& store_;
  timer timer_;
  lock lock_;  // Guards the rest.
  bool closed_ = false;
  bool sweeping_ = false;  // From the timer's firing until nothing is due.
  std::int64_t armed_for_ = forever;
  std::vector<due_event> due_;      // A heap, the earliest in front.
  std::vector<event_id> letters_;   // In order of death.
  std::vector<event_id> unerased_;  // At most as many as can be queued.
  std::int64_t erases_again_ = 0;   // Not before.
  std::uint64_t waits_ = 0;         // Numbers due_event.
  std::uint64_t undelivered_ = 0;   // Failed as the engine drained.
  event_stats counted_;             // But for `dead`.
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail

#include "hotplate/engine/accept.hpp"
#include "hotplate/engine/attempts.hpp"
#include "hotplate/engine/forget.hpp"
#include "hotplate/engine/letters.hpp"
