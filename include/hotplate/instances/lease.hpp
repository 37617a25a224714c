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
  ~lease() { give_back(0, 0, false); }

  void hold(instance_pool& lender, instance& on_loan) noexcept {
    lender_ = &lender;
    instance_ = &on_loan;
  }

  void* state() const noexcept { return instance_->state; }

  /// By a worker of that index.
  void give_back(std::size_t worker, std::int64_t now, bool warm) noexcept {
    if (lender_ == nullptr) return;
    warm ? lender_->put_back(*instance_, worker, now)
         : lender_->retire(*instance_, retire_reason::failed);
    lender_ = nullptr;
  }

 private:
  instance_pool* lender_ = nullptr;
  instance* instance_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
