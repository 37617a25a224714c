#pragma once

#include <cstddef>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "hotplate/base/leash.hpp"
#include "hotplate/engine/line.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A queue of bounded length between those who put and those who take.
/// I1: while somebody waits to take, nothing is queued and nobody waits to put.
/// I2: while somebody waits to put, the queue is full.
/// I3: once it is closed, nobody waits.
/// Thread safety: all members may be called from any thread.
template <typename T>
class passage {
 public:
  passage(core& engine, std::size_t capacity)
      : lobby_(engine), ring_(capacity), life_(engine.leashes(), "channel") {}
  passage(const passage&) = delete;
  passage& operator=(const passage&) = delete;
  ~passage() {
    life_.end(
        [this] { return lobby_.awaited(putters_) || lobby_.awaited(takers_); });
  }

  bool put(T& item, std::int64_t until, const source_location& where) {
    engine().throw_if_forked();
    worker* const here = engine().here_or_throw(where);
    guest self;
    self.item = &item;
    {
      call_out calling;
      const lock_guard hold(lobby_.guard());
      if (closed_) return false;
      if (accept(item, calling.to)) return true;
      putters_.join(self);
    }
    return lobby_.stand(putters_, self, here, until) == with_success;
  }

  bool try_put(T& item) noexcept {
    if (engine().is_forked()) return false;
    call_out calling;
    const lock_guard hold(lobby_.guard());
    return !closed_ && accept(item, calling.to);
  }

  void take(std::optional<T>& into, std::int64_t until,
            const source_location& where) {
    engine().throw_if_forked();
    worker* const here = engine().here_or_throw(where);
    guest self;
    self.item = &into;
    {
      call_out calling;
      const lock_guard hold(lobby_.guard());
      if (yield(into, calling.to) || closed_) return;
      takers_.join(self);
    }
    lobby_.stand(takers_, self, here, until);
  }

  void try_take(std::optional<T>& into) noexcept {
    if (engine().is_forked()) return;
    call_out calling;
    const lock_guard hold(lobby_.guard());
    yield(into, calling.to);
  }

  void close() noexcept {
    if (engine().is_forked()) return;
    const lock_guard hold(lobby_.guard());
    closed_ = true;
    for (line* const each : {&takers_, &putters_}) {
      while (!each->empty()) {
        lobby::deliver(lobby_.serve_first(*each, with_refusal));
      }
    }
  }

  bool closed() noexcept {
    if (engine().is_forked()) return true;
    const lock_guard hold(lobby_.guard());
    return closed_;
  }

 private:
  // Declared before the guard is taken, so that it calls once that is released.
  struct call_out {
    summons to;
    call_out() noexcept = default;
    call_out(const call_out&) = delete;
    call_out& operator=(const call_out&) = delete;
    ~call_out() { lobby::deliver(to); }
  };

  core& engine() const noexcept {
    life_.check_use();
    return lobby_.engine();
  }

  bool accept(T& item, summons& taker) noexcept {
    if (!takers_.empty()) {
      static_cast<std::optional<T>*>(takers_.first().item)
          ->emplace(std::move(item));
      taker = lobby_.serve_first(takers_);
      return true;
    }
    if (queued_ == ring_.size()) return false;
    enqueue(item);
    return true;
  }

  bool yield(std::optional<T>& into, summons& putter) noexcept {
    if (queued_ > 0) {
      into.emplace(std::move(*ring_[first_]));
      ring_[first_].reset();
      first_ = (first_ + 1) % ring_.size();
      --queued_;
      if (!putters_.empty()) {
        enqueue(*static_cast<T*>(putters_.first().item));
        putter = lobby_.serve_first(putters_);
      }
      return true;
    }
    if (putters_.empty()) return false;
    into.emplace(std::move(*static_cast<T*>(putters_.first().item)));
    putter = lobby_.serve_first(putters_);
    return true;
  }

  void enqueue(T& item) noexcept {
    ring_[(first_ + queued_) % ring_.size()].emplace(std::move(item));
    ++queued_;
  }

  lobby lobby_;
  // Under the lobby's guard:
  line putters_;
  line takers_;
  std::vector<std::optional<T>> ring_;
  std::size_t first_ = 0;
  std::size_t queued_ = 0;
  bool closed_ = false;

  [[no_unique_address]] leashed life_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
