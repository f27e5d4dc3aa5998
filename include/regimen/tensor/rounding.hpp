#pragma once

#include <c10/core/ScalarType.h>

#include <cmath>

#include "regimen/base/config.hpp"

namespace regimen::inline v0::detail {

/// The distance between 1 and the next number of a floating type: 2^-52 for double, and for what is no floating type.
/// Numbers that are computed in double carry the rounding of the type that they come from.
inline double epsilon_of(at::ScalarType type) {
  switch (type) {
    case at::kBFloat16:
      return std::ldexp(1.0, -7);
    case at::kHalf:
      return std::ldexp(1.0, -10);
    case at::kFloat:
      return std::ldexp(1.0, -23);
    default:
      return std::ldexp(1.0, -52);
  }
}

}  // namespace regimen::inline v0::detail
