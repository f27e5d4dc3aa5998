#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// P(Z <= z) of a standard normal variable.
inline double normal_share_below(double z) {
  return std::erfc(-z / std::sqrt(2.0)) / 2;
}

/// The z with P(Z <= z) = share, by bisection to rounding: 1.95996 for 0.975; infinite for 0 and 1.
inline double standard_normal_quantile(double share) {
  if (share <= 0 || share >= 1) {
    return share <= 0 ? -INFINITY : INFINITY;
  }
  double low = -40;
  double high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (normal_share_below(middle) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

/// The z with P(|Z| <= z) = level of a standard normal, by bisection to rounding: 1.95996 for 0.95.
inline double normal_two_sided_quantile(double level) {
  double low = 0;
  double high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < level ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace regimen::inline v0::detail
