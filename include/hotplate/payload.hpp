#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "hotplate/arena.hpp"
#include "hotplate/base/chunk.hpp"
#include "hotplate/version.hpp"

namespace hotplate::inline HOTPLATE_ABI {

class payload;

/// Bytes that belong to somebody else: an event as a handler sees it.
class payload_view {
 public:
  constexpr payload_view() noexcept = default;
  constexpr payload_view(const void* data, std::size_t size) noexcept
      : data_(data), size_(size) {}
  constexpr payload_view(std::string_view text) noexcept
      : payload_view(text.data(), text.size()) {}
  constexpr payload_view(const char* text) noexcept
      : payload_view(std::string_view(text)) {}
  payload_view(const std::string& text) noexcept
      : payload_view(text.data(), text.size()) {}
  payload_view(std::span<const std::byte> bytes) noexcept
      : payload_view(bytes.data(), bytes.size()) {}
  payload_view(const std::vector<std::byte>& bytes) noexcept
      : payload_view(bytes.data(), bytes.size()) {}
  payload_view(const payload& whole) noexcept;

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const std::byte* data() const noexcept {
    return static_cast<const std::byte*>(data_);
  }
  std::span<const std::byte> bytes() const noexcept { return {data(), size_}; }
  std::string_view text() const noexcept {
    return {static_cast<const char*>(data_), size_};
  }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

namespace detail {
template <typename T>
inline constexpr bool is_view = std::is_same_v<T, payload_view>;
template <typename T, std::size_t Size>
inline constexpr bool is_view<std::span<T, Size>> = true;
template <typename T>
inline constexpr bool is_view<std::basic_string_view<T>> = true;
}  // namespace detail

/// Bytes of one's own: a response, or an event that moves into its invocation.
/// Adopts the buffer of a string or vector without copying it.
/// May outlive the engine, though not the shared object that it was made in,
/// and may go to any thread.
class payload {
 public:
  /// Up to so many bytes lie on the heap wherever they are written.
  static constexpr std::size_t most_on_heap = 4096;

  payload() noexcept {}
  payload(std::string text) noexcept : kind_(kind::text) {
    new (&own_.text) std::string(std::move(text));
  }
  payload(std::vector<std::byte> bytes) noexcept : kind_(kind::bytes) {
    new (&own_.bytes) std::vector<std::byte>(std::move(bytes));
  }
  explicit payload(payload_view copied) : payload(std::string(copied.text())) {}

  /// For a response that the handler writes where it stays, with writable():
  /// `size` bytes that nobody copies any more. Up to most_on_heap they are
  /// zeros on the heap. More are uninitialised, in a chunk of their own,
  /// aligned to a page: it counts as used by `memory` until the handler ends,
  /// whatever becomes of it, and as held by the engine until the payload is
  /// destroyed. Errors: throws std::bad_alloc; beyond the function's memory the
  /// invocation then ends `out_of_memory`, beyond the engine's
  /// max_held_response_bytes and where the host has none `resource_exhausted`,
  /// even if that is swallowed.
  template <int = 0>
  payload(arena& memory, std::size_t size) {
    if (size <= most_on_heap) {
      new (&own_.bytes) std::vector<std::byte>(size);
      kind_ = kind::bytes;
    } else {
      new (&own_.detached) detail::detached_memory(memory.detach(size));
      kind_ = kind::detached;
    }
  }

  payload(payload&& other) noexcept { take(other, other.kind_); }
  payload& operator=(payload&& other) noexcept {
    if (this == &other) return *this;
    // Read first: g++ 12 takes it to be unknown after what end() calls.
    const kind taken = other.kind_;
    end();
    take(other, taken);
    return *this;
  }
  payload(const payload&) = delete;  // Say payload(payload_view(other)).
  payload& operator=(const payload&) = delete;
  ~payload() { end(); }

  std::size_t size() const noexcept { return view().size(); }
  bool empty() const noexcept { return size() == 0; }
  const std::byte* data() const noexcept { return view().data(); }
  std::span<const std::byte> bytes() const noexcept { return view().bytes(); }
  std::string_view text() const noexcept { return view().text(); }

  payload_view view() const noexcept {
    if (kind_ == kind::text) return own_.text;
    if (kind_ == kind::bytes) return own_.bytes;
    if (kind_ == kind::detached)
      return {own_.detached.data(), own_.detached.size()};
    return {};
  }

  /// The same bytes, to be written; until it is moved from or truncated.
  std::span<std::byte> writable() noexcept {
    const payload_view all = view();
    return {const_cast<std::byte*>(all.data()), all.size()};
  }

  /// Keeps the first `size` bytes, if it has more; gives no memory back.
  template <int = 0>
  void truncate(std::size_t size) noexcept {
    if (size >= this->size()) return;
    if (kind_ == kind::text) own_.text.resize(size);
    if (kind_ == kind::bytes) own_.bytes.resize(size);
    if (kind_ == kind::detached) own_.detached.truncate(size);
  }

  /// For the engine: what came from an arena is overwritten when it is freed.
  void scrub_at_end() noexcept {
    if (kind_ == kind::detached) own_.detached.scrub_at_end();
  }

 private:
  // Not a std::variant, each move of which costs some 10 instructions more.
  enum class kind : std::uint8_t { none, text, bytes, detached };

  void take(payload& other, kind taken) noexcept {
    kind_ = taken;
    if (kind_ == kind::none) return;
    if (kind_ == kind::text) {
      new (&own_.text) std::string(std::move(other.own_.text));
    } else if (kind_ == kind::bytes) {
      new (&own_.bytes) std::vector<std::byte>(std::move(other.own_.bytes));
    } else {
      new (&own_.detached)
          detail::detached_memory(std::move(other.own_.detached));
    }
    other.end();
  }

  void end() noexcept {
    const kind ended = std::exchange(kind_, kind::none);
    if (ended == kind::none) return;
    if (ended == kind::text) std::destroy_at(&own_.text);
    if (ended == kind::bytes) std::destroy_at(&own_.bytes);
    if (ended == kind::detached) std::destroy_at(&own_.detached);
  }

  union owner {
    owner() noexcept {}
    ~owner() {}

    std::string text;
    std::vector<std::byte> bytes;
    detail::detached_memory detached;
  };

  kind kind_ = kind::none;
  owner own_;
};

inline payload_view::payload_view(const payload& whole) noexcept
    : payload_view(whole.view()) {}

}  // namespace hotplate::inline HOTPLATE_ABI
