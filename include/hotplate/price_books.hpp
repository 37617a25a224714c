#pragma once

#include <chrono>

#include "hotplate/billing.hpp"

// The figures behind billing.hpp.

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
      .free_gb_seconds = 400'000,
      .reserved_gb_second = 0.0000041667,
      .provisioned_gb_second = 0.0000097222,
      .reservation_step = std::chrono::minutes(5),
      .event_request_bytes = 256 << 10,
      .event_request_step = 64 << 10};
}

// The tier above 18.75 billion is not in our source: the one before it is used.
// Nor is the price of provisioned instances.
inline price_book aws_lambda_arm() {
  price_book book = aws_lambda_x86();
  book.name = "AWS Lambda arm";
  book.gb_second = {{7.5e9, 0.0000133334}, {0, 0.0000120001}};
  book.reserved_gb_second = book.provisioned_gb_second = 0;
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

}  // namespace hotplate::inline HOTPLATE_ABI
