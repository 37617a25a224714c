#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "hotplate/meter.hpp"

namespace demo {

/// An invocation worth a line of its own.
struct notable_invocation {
  std::string function;
  hotplate::usage usage;
  std::string message;  ///< Empty if it yielded a value.
};

/// A meter that keeps each function's first cold start and first failure.
class notable_log final : public hotplate::meter {
 public:
  void on_invocation(
      const hotplate::metered_invocation& call) noexcept override;

  std::vector<notable_invocation> entries() const;

 private:
  bool is_known(const hotplate::metered_invocation& call) const;

  mutable std::mutex mutex_;  // Guards the rest.
  std::vector<notable_invocation> entries_;
};

}  // namespace demo
