#pragma once
// No LibTorch.

#include <cmath>
#include <string>

#include "format.hpp"

namespace kit {

/// How often the worse of two minima looks worse to a measure.
struct Told {
  int times = 0;
  int pairs = 0;

  /// worse - better of one pair; pairs that are equal, or of which a number is NaN or both are infinite, are left out.
  void add(double difference, bool larger_is_worse = true) {
    if (!std::isnan(difference) && difference != 0) {
      times += (difference > 0) == larger_is_worse ? 1 : 0;
      ++pairs;
    }
  }

  [[nodiscard]] std::string text() const { return format("%d of %d", times, pairs); }
};

}  // namespace kit
