#pragma once

#include <cstddef>
#include <new>
#include <utility>

#include "hotplate/base/owned.hpp"
#include "hotplate/billing.hpp"

// The meter of billing.hpp.

namespace hotplate::inline HOTPLATE_ABI {

inline ledger::account& ledger::account_of(std::string_view function) {
  std::size_t from = 0;
  std::size_t to = accounts_.size();
  while (from < to) {
    const std::size_t middle = (from + to) / 2;
    if (accounts_[middle].function < function) {
      from = middle + 1;
    } else {
      to = middle;
    }
  }
  if (from == accounts_.size() || accounts_[from].function != function) {
    account fresh{std::string(function), {}};
    fresh.amounts.resize(books_.size());
    detail::insert_at(accounts_, from, std::move(fresh));
  }
  return accounts_[from];
}

inline void ledger::on_invocation(const metered_invocation& call) noexcept {
  if (call.usage.start == start_kind::none) return;
  const detail::lock_guard hold(lock_);
  try {
    account& known = account_of(call.function);
    for (std::size_t i = 0; i < books_.size(); ++i) {
      known.amounts[i] += charge(books_[i], call.usage);
    }
  } catch (const std::bad_alloc&) {
    ++lost_;
  }
}

inline std::vector<bill> ledger::bills(
    bool free_tier, const std::vector<function_stats>& reserving) const {
  std::vector<bill> all;
  for (std::size_t i = 0; i < books_.size(); ++i) {
    billed_amount sum;
    for (const function_amount& each : by_function(i)) sum += each.amount;
    for (const function_stats& function : reserving) {
      for (const reservation& each : function.reservations) {
        sum += charge(books_[i], each);
      }
    }
    all.push_back(make_bill(books_[i], sum, free_tier));
  }
  return all;
}

inline std::vector<function_amount> ledger::by_function(
    std::size_t book) const {
  std::vector<function_amount> sums;
  const detail::lock_guard hold(lock_);
  for (const account& each : accounts_) {
    sums.push_back({each.function, each.amounts.at(book)});
  }
  return sums;
}

inline std::uint64_t ledger::lost() const noexcept {
  const detail::lock_guard hold(lock_);
  return lost_;
}

}  // namespace hotplate::inline HOTPLATE_ABI
