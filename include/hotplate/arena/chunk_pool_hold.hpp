#pragma once

#include "hotplate/arena/chunk_pool.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// An engine's pool of chunks, which outlives it while payloads hold some.
class chunk_pool_hold {
 public:
  chunk_pool_hold(std::size_t most_held, bool threaded)
      : pool_(new chunk_pool(most_held, threaded)) {}
  chunk_pool_hold(const chunk_pool_hold&) = delete;
  chunk_pool_hold& operator=(const chunk_pool_hold&) = delete;
  ~chunk_pool_hold() { pool_->retire(); }

  chunk_pool& operator*() const noexcept { return *pool_; }
  chunk_pool* operator->() const noexcept { return pool_; }

 private:
  chunk_pool* const pool_;
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
