#pragma once
// No LibTorch.

#include <cstddef>

#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// A mean and how well n values tell it.
struct Interval {
  double mean = unknown;
  double half_width = unknown;  ///< of the confidence interval; NaN for fewer than two values
  std::size_t n = 0;

  [[nodiscard]] double low() const { return mean - half_width; }
  [[nodiscard]] double high() const { return mean + half_width; }
};

/// Any number that was computed from n values or pairs, with a confidence interval that need not lie around its middle.
struct Estimate {
  double value = unknown;
  double low = unknown;  ///< ends of the confidence interval; NaN where nothing tells them
  double high = unknown;
  std::size_t n = 0;  ///< values, or pairs
};

}  // namespace regimen::inline v0
