#pragma once
// No LibTorch.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "regimen/record/history.hpp"

namespace regimen::inline v0 {

/// The median: the middle value, or the mean of the two in the middle; NaN without values. No value may be NaN.
[[nodiscard]] inline double median(std::span<const double> values) {
  if (values.empty()) {
    return unknown;
  }
  std::vector<double> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double upper = *middle;
  return sorted.size() % 2 == 1 ? upper : (*std::max_element(sorted.begin(), middle) + upper) / 2;
}

}  // namespace regimen::inline v0
