#pragma once

#include "hotplate/instances/instance_pool.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// An instance on loan to one invocation. Where that was its last, it ends with
/// the lease: after the invocation, whose caller does not wait for it. Must not
/// outlive its pool.
class [[nodiscard]] lease {
 public:
  lease() noexcept = default;
  lease(const lease&) = delete;
  lease& operator=(const lease&) = delete;
  ~lease() {
    if (lender_ != nullptr) [[unlikely]]
      end();
  }

  void hold(instance_pool& lender, instance& on_loan) noexcept {
    lender_ = &lender;
    instance_ = &on_loan;
  }

  void* state() const noexcept { return instance_->state; }

  /// By a worker of that seat. True if it is to end with the lease, and maybe
  /// others with it.
  HOTPLATE_INLINE bool give_back(std::size_t worker, std::int64_t now,
                                 bool warm) noexcept {
    if (lender_ == nullptr) return false;
    return ends(warm ? lender_->put_back(*instance_, worker, now)
                     : lender_->doom(*instance_, retire_reason::failed));
  }

  /// One that others share; see share.hpp for `loan`.
  HOTPLATE_NOINLINE bool give_back_shared(instance*& loan, std::int64_t now,
                                          bool warm) noexcept {
    return ends(lender_->put_shared(*instance_, loan, now, warm));
  }

  task& owner() const noexcept { return lender_->as_task(); }
  /// What was to end with the lease does so now, or on a fiber of its own.
  void end() noexcept { std::exchange(lender_, nullptr)->retire(instance_); }
  void leave_end_to_others() noexcept {
    std::exchange(lender_, nullptr)->retire_elsewhere(instance_);
  }

 private:
  HOTPLATE_INLINE bool ends(instance* gone) noexcept {
    instance_ = gone;
    if (gone == nullptr) [[likely]]
      lender_ = nullptr;
    return gone != nullptr;
  }

  instance_pool* lender_ = nullptr;
  instance* instance_ = nullptr;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
