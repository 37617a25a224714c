#pragma once

#include <algorithm>
#include <new>
#include <utility>

#include "hotplate/billing.hpp"

// Figures and arithmetic behind billing.hpp.

namespace hotplate::inline HOTPLATE_ABI {

namespace price_books {

// Init is billed for every kind of function since 2025-08-01.
inline price_book aws_lambda_x86() {
  return {
      .name = "AWS Lambda x86",
      .source = "AWS Lambda Pricing, US East (N. Virginia)",
      .date = "2026-11",
      .per_million_requests = 0.20,
      .free_requests = 1'000'000,
      .gb_second = {{6e9, 0.0000166667}, {15e9, 0.000015}, {0, 0.0000133334}},
      .free_gb_seconds = 400'000};
}

// The tier above 18.75 billion is not in our source: the one before it is used.
inline price_book aws_lambda_arm() {
  price_book book = aws_lambda_x86();
  book.name = "AWS Lambda arm";
  book.gb_second = {{7.5e9, 0.0000133334}, {0, 0.0000120001}};
  return book;
}

inline price_book google_cloud_functions() {
  return {.name = "Google Cloud Functions",
          .source = "Cloud Functions Pricing, 1st generation, Tier 1",
          .date = "2026-11",
          .per_million_requests = 0.40,
          .free_requests = 2'000'000,
          .gb_second = {{0, 0.0000025}},
          .free_gb_seconds = 400'000,
          .ghz_second = 0.0000100,
          .free_ghz_seconds = 200'000,
          .cpu = {{128, 200},
                  {256, 400},
                  {512, 800},
                  {1024, 1400},
                  {2048, 2400},
                  {4096, 4800}},
          .duration_step_ms = 100};
}

inline price_book azure_functions() {
  return {.name = "Azure Functions",
          .source = "Azure Functions Pricing, Consumption plan",
          .date = "2026-11",
          .per_million_requests = 0.20,
          .free_requests = 1'000'000,
          .gb_second = {{0, 0.000016}},
          .free_gb_seconds = 400'000,
          .least_duration_ms = 100,
          .memory_step_mib = 128,
          .least_memory_mib = 128,
          .most_memory_mib = 1536};
}

inline std::vector<price_book> all() {
  return {aws_lambda_x86(), aws_lambda_arm(), google_cloud_functions(),
          azure_functions()};
}

}  // namespace price_books

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
  std::uint64_t mib = detail::round_up(
      std::max(used.memory_mib, book.least_memory_mib), book.memory_step_mib);
  if (book.most_memory_mib != 0) {
    mib = std::min<std::uint64_t>(mib, book.most_memory_mib);
  }
  return {1, mib * ms, ms * detail::mhz_of(book, used.memory_mib)};
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
  for (const bill_line& each : made.lines) made.total += each.cost;
  return made;
}

}  // namespace hotplate::inline HOTPLATE_ABI
