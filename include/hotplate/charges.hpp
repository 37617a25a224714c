#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "hotplate/billing.hpp"

// The arithmetic behind billing.hpp.

namespace hotplate::inline HOTPLATE_ABI {

namespace detail {

inline std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

/// The CPU of the smallest size that has that much memory, else the largest.
inline std::uint32_t mhz_of(const price_book& book, std::uint32_t memory_mib) {
  for (const cpu_share& size : book.cpu) {
    if (memory_mib <= size.memory_mib) return size.mhz;
  }
  return book.cpu.empty() ? 0 : book.cpu.back().mhz;
}

/// The price of `quantity` where the cheaper tiers follow the dearer ones.
inline double price_of(const std::vector<price_tier>& tiers, double from,
                       double quantity) {
  double cost = 0;
  double at = from;
  const double end = from + quantity;
  for (const price_tier& tier : tiers) {
    const double until = tier.up_to == 0 ? end : std::min(end, tier.up_to);
    if (until <= at) continue;
    cost += (until - at) * tier.price;
    at = until;
  }
  return cost;
}

inline bill_line bill_line_of(std::string what, double quantity, double free) {
  return {std::move(what), quantity, std::min(free, quantity), 0};
}

inline std::uint64_t billed_mib(const price_book& book,
                                std::uint32_t memory_mib) {
  const std::uint64_t mib = round_up(
      std::max(memory_mib, book.least_memory_mib), book.memory_step_mib);
  if (book.most_memory_mib == 0) return mib;
  return std::min<std::uint64_t>(mib, book.most_memory_mib);
}

inline std::uint64_t requests_of(const price_book& book, const usage& used) {
  const bool larger = used.trigger == trigger::event && used.attempt == 1 &&
                      book.event_request_step != 0 &&
                      used.event_bytes > book.event_request_bytes;
  if (!larger) return 1;
  return 1 + round_up(used.event_bytes - book.event_request_bytes,
                      book.event_request_step) /
                 book.event_request_step;
}

/// A line for what was provisioned, where any was.
inline void add_line(bill& to, std::string what, std::uint64_t mib_ms,
                     double price) {
  if (mib_ms == 0) return;
  bill_line line = bill_line_of(
      std::move(what), static_cast<double>(mib_ms) / 1024.0 / 1000.0, 0);
  line.cost = line.quantity * price;
  to.lines.push_back(std::move(line));
}

}  // namespace detail

inline billed_amount charge(const price_book& book,
                            const usage& used) noexcept {
  if (used.start == start_kind::none) return {};
  const auto time =
      (book.bills_init ? used.init + used.duration : used.duration).count();
  const std::uint64_t whole_ms =
      detail::round_up(
          static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)),
          1'000'000) /
      1'000'000;
  const std::uint64_t ms = detail::round_up(
      std::max(whole_ms, static_cast<std::uint64_t>(book.least_duration_ms)),
      static_cast<std::uint64_t>(book.duration_step_ms));
  const std::uint64_t mib_ms = ms * detail::billed_mib(book, used.memory_mib);
  billed_amount sum;
  sum.requests = detail::requests_of(book, used);
  sum.mhz_ms = ms * detail::mhz_of(book, used.memory_mib);
  const bool reserved =
      book.provisioned_gb_second != 0 && is_provisioned(used.start);
  (reserved ? sum.provisioned_mib_ms : sum.mib_ms) = mib_ms;
  return sum;
}

inline billed_amount charge(const price_book& book,
                            const reservation& reserved) noexcept {
  if (book.reserved_gb_second == 0) return {};
  const auto step = static_cast<std::uint64_t>(
      std::chrono::nanoseconds(book.reservation_step).count());
  const std::uint64_t ms =
      detail::round_up(static_cast<std::uint64_t>(reserved.time.count()),
                       step) /
      1'000'000;
  billed_amount sum;
  sum.reserved_mib_ms = ms * static_cast<std::uint64_t>(reserved.instances) *
                        detail::billed_mib(book, reserved.memory_mib);
  return sum;
}

inline bill make_bill(const price_book& book, const billed_amount& amount,
                      bool free_tier) {
  bill made{book.name, book.source, book.date, amount, {}, 0};
  const double free = free_tier ? 1 : 0;
  bill_line requests =
      detail::bill_line_of("requests", static_cast<double>(amount.requests),
                           free * static_cast<double>(book.free_requests));
  requests.cost =
      (requests.quantity - requests.free) / 1e6 * book.per_million_requests;
  bill_line memory = detail::bill_line_of("GB-seconds", amount.gb_seconds(),
                                          free * book.free_gb_seconds);
  // The free tier is taken off the first, dearest units, and leaves the tiers'
  // bounds where they are.
  memory.cost = detail::price_of(book.gb_second, memory.free,
                                 memory.quantity - memory.free);
  made.lines = {std::move(requests), std::move(memory)};
  if (book.ghz_second != 0) {
    bill_line cpu = detail::bill_line_of("GHz-seconds", amount.ghz_seconds(),
                                         free * book.free_ghz_seconds);
    cpu.cost = (cpu.quantity - cpu.free) * book.ghz_second;
    made.lines.push_back(std::move(cpu));
  }
  detail::add_line(made, "provisioned GB-seconds reserved",
                   amount.reserved_mib_ms, book.reserved_gb_second);
  detail::add_line(made, "provisioned GB-seconds served",
                   amount.provisioned_mib_ms, book.provisioned_gb_second);
  for (const bill_line& each : made.lines) made.total += each.cost;
  return made;
}

}  // namespace hotplate::inline HOTPLATE_ABI
