#pragma once
// No LibTorch.

#include <cmath>
#include <numbers>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// Half a cosine: falls from 1 to 0 while `progress` goes from 0 to 1.
inline double half_cosine(double progress) {
  return 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace regimen::inline v0::detail
