#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace trace {

/// Numbers drawn by our own arithmetic: the standard fixes what its engines
/// yield, but not what its distributions make of it.
class random {
 public:
  explicit random(std::uint64_t seed) : engine_(seed) {}

  /// In [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }

  /// Standard normal: Box and Muller (1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace trace
