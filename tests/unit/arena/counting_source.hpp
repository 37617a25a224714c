#pragma once

#include <bit>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

#include "hotplate/base/chunk.hpp"

/// Chunks of exactly the size asked for, unless they are to be powers of two;
/// knows which are out.
class counting_source final : public hotplate::detail::chunk_source {
 public:
  using chunk = hotplate::detail::chunk;

  chunk* take(std::size_t bytes) noexcept override {
    if (empty_) return nullptr;
    if (in_powers) bytes = std::bit_ceil(bytes);
    sizes.push_back(bytes);
    ++out;
    auto* const made = new (make(bytes)) chunk{};
    made->size = bytes;
    return made;
  }
  void give(chunk* list) noexcept override {
    for (; list != nullptr; list = list->next) --out;
  }

  hotplate::detail::detachment detach(std::size_t bytes) noexcept override {
    if (crowd != 0) return {nullptr, crowd};
    if (empty_) return {};
    ++detached;
    return {make(bytes), 0};
  }
  void rejoin(std::byte*, std::size_t bytes, bool scrub) noexcept override {
    --detached;
    rejoined.push_back(bytes);
    if (scrub) ++scrubbed;
  }

  void run_dry() { empty_ = true; }

  bool in_powers = false;
  std::vector<std::size_t> sizes;
  std::vector<std::size_t> rejoined;
  int out = 0;
  int detached = 0;
  int scrubbed = 0;
  std::size_t crowd = 0;  ///< What it says to refuse detaching.

 private:
  // Kept until the end, so that tests may look into what came back.
  std::byte* make(std::size_t bytes) {
    memory_.push_back(std::make_unique<std::byte[]>(bytes));
    return memory_.back().get();
  }

  std::vector<std::unique_ptr<std::byte[]>> memory_;
  bool empty_ = false;
};
