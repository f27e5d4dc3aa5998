#pragma once
// No LibTorch.

#include <cstddef>

#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// A mean of n values with its symmetric confidence interval.
struct Interval {
  double mean = unknown;
  double half_width = unknown;  ///< half the width of the confidence interval; NaN for fewer than two values
  std::size_t n = 0;

  [[nodiscard]] double low() const { return mean - half_width; }
  [[nodiscard]] double high() const { return mean + half_width; }
};

/// A number that was computed from n values or pairs, with a confidence interval that may be asymmetric.
struct Estimate {
  double value = unknown;
  double low = unknown;  ///< ends of the confidence interval; NaN if it cannot be computed
  double high = unknown;
  std::size_t n = 0;  ///< number of values or pairs
};

}  // namespace regimen::inline v0
