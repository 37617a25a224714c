#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hotplate/base/lock.hpp"
#include "hotplate/event_store.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Keeps events as long as it lives.
class memory_store final : public event_store {
 public:
  explicit memory_store(std::size_t most_keys) : most_keys_(most_keys) {}

  added add(stored_event event) override {
    const lock_guard hold(lock_);
    if (event.key.empty()) return {keep(std::move(event)), false};
    if (const event_id first = find_known(event.key, event.sent)) {
      return {first, true};
    }
    if (keys_.size() >= most_keys_) return {};
    const auto entry = keys_.try_emplace(event.key).first;
    by_end_.emplace(event.key_until, entry);
    entry->second = keep(std::move(event));
    return {entry->second, false};
  }

  event_id find(std::string_view key, time_point now) override {
    const lock_guard hold(lock_);
    return find_known(key, now);
  }

  void update(const stored_event& changed) override {
    const lock_guard hold(lock_);
    const auto found = events_.find(changed.id);
    if (found == events_.end()) return;
    std::string event = std::move(found->second.event);
    found->second = changed;
    found->second.event = std::move(event);
  }

  bool read(event_id id, stored_event& into) override {
    const lock_guard hold(lock_);
    const auto found = events_.find(id);
    if (found == events_.end()) return false;
    into = found->second;
    return true;
  }

  void erase(event_id id) override {
    const lock_guard hold(lock_);
    events_.erase(id);
  }

  std::vector<event_id> list() override {
    const lock_guard hold(lock_);
    std::vector<event_id> all;
    for (const auto& [id, event] : events_) all.push_back(id);
    return all;
  }

 private:
  using known_keys = std::map<std::string, event_id, std::less<>>;

  event_id keep(stored_event&& event) {
    const event_id id = last_id_ + 1;
    event.id = id;
    events_.emplace_hint(events_.end(), id, std::move(event));
    return last_id_ = id;
  }

  event_id find_known(std::string_view key, time_point now) {
    forget_keys(now);
    const auto found = keys_.find(key);
    return found == keys_.end() ? 0 : found->second;
  }

  // Those whose time is over.
  void forget_keys(time_point now) {
    while (!by_end_.empty() && by_end_.begin()->first <= now) {
      keys_.erase(by_end_.begin()->second);
      by_end_.erase(by_end_.begin());
    }
  }

  const std::size_t most_keys_;
  lock lock_;  // Guards the rest.
  std::map<event_id, stored_event> events_;
  known_keys keys_;
  std::multimap<time_point, known_keys::iterator> by_end_;
  event_id last_id_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
