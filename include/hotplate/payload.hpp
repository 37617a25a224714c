#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

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

/// Bytes of one's own: a response, or an event that moves into its invocation.
/// Adopts the buffer of a string or vector without copying it.
class payload {
 public:
  payload() noexcept = default;
  payload(std::string text) noexcept : owner_(std::move(text)) {}
  payload(std::vector<std::byte> bytes) noexcept : owner_(std::move(bytes)) {}
  explicit payload(payload_view copied) : owner_(std::string(copied.text())) {}

  payload(payload&&) noexcept = default;
  payload& operator=(payload&&) noexcept = default;
  payload(const payload&) = delete;  // Say payload(payload_view(other)).
  payload& operator=(const payload&) = delete;
  ~payload() = default;

  std::size_t size() const noexcept { return view().size(); }
  bool empty() const noexcept { return size() == 0; }
  const std::byte* data() const noexcept { return view().data(); }
  std::span<const std::byte> bytes() const noexcept { return view().bytes(); }
  std::string_view text() const noexcept { return view().text(); }

  payload_view view() const noexcept {
    if (const auto* text = std::get_if<std::string>(&owner_)) return *text;
    return *std::get_if<std::vector<std::byte>>(&owner_);
  }

 private:
  std::variant<std::string, std::vector<std::byte>> owner_;
};

inline payload_view::payload_view(const payload& whole) noexcept
    : payload_view(whole.view()) {}

}  // namespace hotplate::inline HOTPLATE_ABI
