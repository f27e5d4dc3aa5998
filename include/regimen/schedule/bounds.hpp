#pragma once
// No LibTorch.

#include <limits>
#include <string_view>

#include "regimen/base/error.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0::detail {

/// What a field that is a knob may be. A number is checked before anything runs, a schedule each time it is read.
struct Bounds {
  std::string_view field;  ///< "L2.strength"
  double low;
  double high;
  std::string_view bound;  ///< in words: "at least 0"

  void check(double value) const { require(value >= low && value <= high, field, bound, value); }
  void check(const Knob& knob) const {
    if (knob.constant()) {
      check(knob({}));
    }
  }

  static constexpr Bounds share(std::string_view field) { return {field, 0, 1, "in [0, 1]"}; }
  static constexpr Bounds open(std::string_view field) {
    return {field, std::numeric_limits<double>::denorm_min(), 1 - std::numeric_limits<double>::epsilon() / 2,
            "in (0, 1)"};
  }
  static constexpr Bounds not_negative(std::string_view field) {
    return {field, 0, std::numeric_limits<double>::max(), "at least 0 and finite"};
  }
  static constexpr Bounds positive(std::string_view field) {
    return {field, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::infinity(), "above 0"};
  }
};

}  // namespace regimen::inline v0::detail
