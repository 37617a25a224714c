#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hotplate/base/lock.hpp"
#include "hotplate/meter.hpp"
#include "hotplate/stats.hpp"

namespace hotplate::inline HOTPLATE_ABI {

/// A price per unit for what lies below `up_to` units a month.
struct price_tier {
  double up_to = 0;  ///< 0: without end.
  double price = 0;  ///< USD.
};

/// The CPU that comes with a function's memory.
struct cpu_share {
  std::uint32_t memory_mib = 0;
  std::uint32_t mhz = 0;
};

/// A provider's rules for turning usage into money; plain data, USD a month.
struct price_book {
  std::string name;
  std::string source;  ///< The page that the figures were read from.
  std::string date;    ///< When.

  double per_million_requests = 0;
  std::uint64_t free_requests = 0;
  std::vector<price_tier> gb_second;  ///< GB of the function's memory.
  double free_gb_seconds = 0;
  double ghz_second = 0;  ///< 0: CPU is not billed by itself.
  double free_ghz_seconds = 0;
  std::vector<cpu_share> cpu = {};  ///< By memory, ascending.
  /// Of provisioned instances: reserved, in steps of so much time for each
  /// reservation, and while they serve, which is then not `gb_second`. 0: there
  /// are none, what they serve is billed as any other.
  double reserved_gb_second = 0;
  double provisioned_gb_second = 0;
  std::chrono::seconds reservation_step{1};
  /// A sent event counts as one request up to so many bytes, and as one more
  /// for each further step, at its first attempt. 0: as one.
  std::size_t event_request_bytes = 0;
  std::size_t event_request_step = 0;

  bool bills_init = true;
  std::int64_t duration_step_ms = 1;  ///< Durations are rounded up to it.
  std::int64_t least_duration_ms = 0;
  std::uint32_t memory_step_mib = 1;  ///< Memory is rounded up to it.
  std::uint32_t least_memory_mib = 0;
  std::uint32_t most_memory_mib = 0;  ///< 0: no bound.
};

/// What one invocation, or many together, are charged for under one book.
struct billed_amount {
  std::uint64_t requests = 0;
  std::uint64_t mib_ms = 0;  ///< Memory times duration, both as rounded.
  std::uint64_t mhz_ms = 0;
  std::uint64_t reserved_mib_ms = 0;     ///< Of provisioned instances.
  std::uint64_t provisioned_mib_ms = 0;  ///< That they served.

  double gb_seconds() const noexcept {
    return static_cast<double>(mib_ms) / 1024.0 / 1000.0;
  }
  double ghz_seconds() const noexcept {
    return static_cast<double>(mhz_ms) / 1000.0 / 1000.0;
  }
  billed_amount& operator+=(const billed_amount& other) noexcept {
    requests += other.requests;
    mib_ms += other.mib_ms;
    mhz_ms += other.mhz_ms;
    reserved_mib_ms += other.reserved_mib_ms;
    provisioned_mib_ms += other.provisioned_mib_ms;
    return *this;
  }
};

/// One line of a bill.
struct bill_line {
  std::string what;
  double quantity = 0;
  double free = 0;  ///< Of `quantity`, covered by the free tier.
  double cost = 0;  ///< USD, for the rest.
};

struct bill {
  std::string book;
  std::string source;
  std::string date;
  billed_amount amount;
  std::vector<bill_line> lines;
  double total = 0;  ///< USD.
};

/// What `book` charges for one invocation; nothing if it never started. Takes
/// the figures as the provider rounds them.
billed_amount charge(const price_book& book, const usage& used) noexcept;

/// What `book` charges for one reservation, up to now.
billed_amount charge(const price_book& book,
                     const reservation& reserved) noexcept;

/// A month's bill for `amount`. With `free_tier` false, as if it were used up.
bill make_bill(const price_book& book, const billed_amount& amount,
               bool free_tier = true);

/// The books of real providers, each with its source and date.
namespace price_books {
price_book aws_lambda_x86();          ///< us-east-1
price_book aws_lambda_arm();          ///< us-east-1; none of provisioned
price_book google_cloud_functions();  ///< 1st generation
price_book azure_functions();         ///< consumption plan
std::vector<price_book> all();
}  // namespace price_books

/// What one function was charged for.
struct function_amount {
  std::string function;
  billed_amount amount;
};

/// A meter that keeps account under several books at once, per function. Sums
/// are whole numbers: nothing drifts, however many invocations there are.
/// Thread safety: all members may be called from any thread.
class ledger final : public meter {
 public:
  explicit ledger(std::vector<price_book> books) : books_(std::move(books)) {}

  // Said to be inline here, else every file that includes this compiles it.
  inline void on_invocation(const metered_invocation& call) noexcept override;

  const std::vector<price_book>& books() const noexcept { return books_; }

  /// A bill for each book, of all functions together; with what those of
  /// `reserving`, from engine::functions(), have had provisioned so far.
  std::vector<bill> bills(
      bool free_tier = true,
      const std::vector<function_stats>& reserving = {}) const;

  /// What each function was charged for under book number `book`, by name.
  std::vector<function_amount> by_function(std::size_t book) const;

  /// Invocations that could not be entered because memory was out.
  std::uint64_t lost() const noexcept;

 private:
  struct account {
    std::string function;
    std::vector<billed_amount> amounts;  // One a book.
  };

  inline account& account_of(std::string_view function);  // Under the lock.

  const std::vector<price_book> books_;
  mutable detail::lock lock_;      // Guards the rest.
  std::vector<account> accounts_;  // By name.
  std::uint64_t lost_ = 0;
};

}  // namespace hotplate::inline HOTPLATE_ABI

#include "hotplate/charges.hpp"
#include "hotplate/ledger.hpp"
#include "hotplate/price_books.hpp"
