#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hotplate/base/decimal.hpp"
#include "hotplate/codec.hpp"
#include "hotplate/events.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// What a destination (function_config::on_success, on_failure) is sent: how an
/// event ended. A destination takes it as its parameter:
///   engine.deploy("alarm", [](context&, const delivery& of) {...});
/// As bytes, for handlers that take them: lines of a name, a blank and a value,
/// in this order, an empty line, and message, event and response in a row.
///   hotplate-delivery 1 / id 17 / function resize / code function_threw /
///   reason attempts_used_up / attempts 3 / response-size 0 /
///   message 9 / event 120 / response 0        (these three: bytes that follow)
struct delivery {
  event_id id = 0;
  std::string function = {};   ///< As the event was sent to it.
  std::string code = "ok";     ///< The last attempt's, an errc's name.
  std::string reason = {};     ///< Why it failed; "nothing" if it did not.
  std::uint32_t attempts = 0;  ///< Used up, the one that succeeded included.
  std::string message = {};    ///< The last error's.
  std::string event = {};      ///< As it was sent.
  std::string response = {};   ///< Left out where the event would be too large.
  std::uint64_t response_size = 0;  ///< Even if that was left out.

  bool succeeded() const noexcept { return code == "ok"; }
};

namespace detail {

/// Reads what codec<delivery> wrote, line by line.
class delivery_reader {
 public:
  explicit delivery_reader(std::string_view whole) noexcept : rest_(whole) {}

  std::string_view line(std::string_view name) {
    const std::size_t end = rest_.find('\n');
    const std::string_view whole = take(end, 1);
    if (!whole.starts_with(name) || whole.size() <= name.size() ||
        whole[name.size()] != ' ') {
      throw decode_error("expected a delivery");
    }
    return whole.substr(name.size() + 1);
  }
  std::uint64_t number(std::string_view name) {
    return codec<std::uint64_t>::decode(line(name));
  }
  /// `size` bytes, and `after` more that are skipped.
  std::string_view take(std::size_t size, std::size_t after = 0) {
    if (size > rest_.size() || after > rest_.size() - size) {
      throw decode_error("expected a delivery: it ends too early");
    }
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size + after);
    return taken;
  }

 private:
  std::string_view rest_;
};

}  // namespace detail

template <>
struct codec<delivery> {
  static payload encode(const delivery& of) {
    std::string text = "hotplate-delivery 1\n";
    const auto add = [&](std::string_view name, std::string_view value) {
      text.append(name).append(" ").append(value).append("\n");
    };
    add("id", detail::decimal(of.id).text());
    add("function", of.function);
    add("code", of.code);
    add("reason", of.reason);
    add("attempts", detail::decimal(of.attempts).text());
    add("response-size", detail::decimal(of.response_size).text());
    add("message", detail::decimal(of.message.size()).text());
    add("event", detail::decimal(of.event.size()).text());
    add("response", detail::decimal(of.response.size()).text());
    text.append("\n").append(of.message).append(of.event).append(of.response);
    return payload(std::move(text));
  }

  static delivery decode(payload_view bytes) {
    detail::delivery_reader from(bytes.text());
    if (from.line("hotplate-delivery") != "1") {
      throw decode_error("expected a delivery of version 1");
    }
    delivery of;
    of.id = from.number("id");
    of.function = from.line("function");
    of.code = from.line("code");
    of.reason = from.line("reason");
    of.attempts = static_cast<std::uint32_t>(from.number("attempts"));
    of.response_size = from.number("response-size");
    const std::uint64_t message = from.number("message");
    const std::uint64_t event = from.number("event");
    const std::uint64_t response = from.number("response");
    from.take(0, 1);
    of.message = from.take(message);
    of.event = from.take(event);
    of.response = from.take(response);
    return of;
  }
};

}  // namespace hotplate::inline HOTPLATE_ABI
