#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/base/assert.hpp"

namespace hotplate::inline HOTPLATE_ABI::detail {

/// A counter with one writer and any number of readers.
using tally = std::atomic<std::uint64_t>;

// Not fetch_add: one writer needs no locked instruction.
HOTPLATE_INLINE void add(tally& sum, std::uint64_t amount) noexcept {
  sum.store(sum.load(std::memory_order_relaxed) + amount,
            std::memory_order_relaxed);
}

HOTPLATE_INLINE std::uint64_t read(const tally& sum) noexcept {
  return sum.load(std::memory_order_relaxed);
}

/// Values below 2^44 (4.8 hours in nanoseconds) in log-linear buckets: exact
/// below 16, then 16 to an octave, so that a bucket is at most 6.25 % wide and
/// its middle at most 3.2 % off. Larger values count in the last bucket.
/// Source of the layout: HdrHistogram (Gil Tene). An octave is one cache line,
/// allocated at its first value.
/// Thread safety: record() from one thread at a time, the rest from any.
class histogram {
 public:
  static constexpr std::size_t octave_bits = 4;
  static constexpr std::size_t width = std::size_t{1} << octave_bits;
  static constexpr std::size_t octaves = 44 - octave_bits + 1;
  static constexpr std::size_t buckets = octaves * width;

  histogram() noexcept = default;
  histogram(const histogram&) = delete;
  histogram& operator=(const histogram&) = delete;
  ~histogram() {
    for (auto& line : lines_) delete line.load(std::memory_order_relaxed);
  }

  void record(std::uint64_t value) noexcept {
    const std::size_t at = bucket_of(value);
    octave* line = lines_[at / width].load(std::memory_order_relaxed);
    if (line == nullptr) [[unlikely]] {
      line = new (std::nothrow) octave;
      if (line == nullptr) return;  // Out of memory: this figure is lost.
      // release: publishes the zeros; pairs with the acquire in count_at().
      lines_[at / width].store(line, std::memory_order_release);
    }
    auto& count = line->counts[at % width];
    count.store(count.load(std::memory_order_relaxed) + 1,
                std::memory_order_relaxed);
  }

  std::uint32_t count_at(std::size_t bucket) const noexcept {
    const octave* const line =
        lines_[bucket / width].load(std::memory_order_acquire);
    if (line == nullptr) return 0;
    return line->counts[bucket % width].load(std::memory_order_relaxed);
  }

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < width) return static_cast<std::size_t>(value);
    const auto octave =
        static_cast<std::size_t>(std::bit_width(value)) - octave_bits;
    if (octave >= octaves) return buckets - 1;
    return octave * width + ((value >> (octave - 1)) & (width - 1));
  }

  /// The smallest value of a bucket.
  static std::uint64_t floor_of(std::size_t bucket) noexcept {
    const std::size_t octave = bucket / width;
    const std::uint64_t step = bucket % width;
    return octave == 0 ? step : (width + step) << (octave - 1);
  }

 private:
  struct octave {
    std::array<std::atomic<std::uint32_t>, width> counts{};
  };
  std::array<std::atomic<octave*>, octaves> lines_{};
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
