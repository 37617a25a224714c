#pragma once

#include "hotplate/instances/instance_pool.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// An instance on loan to one invocation. It goes back warm only when somebody
/// says so; destroying the lease retires it. Must not outlive its pool.
class [[nodiscard]] lease {
 public:
  lease() noexcept = default;
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;
  ~lease() {
    if (lender_ != nullptr) [[unlikely]]
      lender_->put_failed(*instance_);
  }

  void hold(instance_pool& lender, instance& on_loan) noexcept {
    lender_ = &lender;
    instance_ = &on_loan;
  }

  void* state() const noexcept { return instance_->state; }

  /// By a worker of that index.
  HOTPLATE_INLINE void give_back(std::size_t worker, std::int64_t now,
                                 bool warm) noexcept {
    if (lender_ == nullptr) return;
    warm ? lender_->put_back(*instance_, worker, now)
         : lender_->put_failed(*instance_);
    lender_ = nullptr;
  }

  /// One that others share; see share.hpp for `loan`.
  HOTPLATE_NOINLINE void give_back_shared(instance*& loan, std::int64_t now,
                                          bool warm) noexcept {
    lender_->put_shared(*instance_, loan, now, warm);
    lender_ = nullptr;
  }

 private:
  instance_pool* lender_ = nullptr;
  instance* instance_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
