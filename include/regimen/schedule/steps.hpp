#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// The same at all times.
struct Constant {
  double value = 1;  ///< any

  double operator()(const Clock& /*clock*/) const { return value; }
};

/// 1 at first, times `factor` at each of the epochs in `at` (counted from 0: {150, 250} changes the 151st epoch).
/// Moves at the beginning of epochs. PyTorch's MultiStepLR.
///     phase.lr_scale = regimen::StepDecay{{150, 250}, 0.1};
struct StepDecay {
  Integers at;          ///< epochs, in any order; none: 1 for ever
  double factor = 0.1;  ///< above 0 and finite

  void check() const {
    detail::require(factor > 0 && std::isfinite(factor), "StepDecay.factor", "above 0 and finite", factor);
  }

  double operator()(const Clock& clock) const {
    double scale = 1;
    for (const std::int64_t epoch : at) {
      scale *= clock.epoch >= epoch ? factor : 1;
    }
    return scale;
  }
};

/// 1 at first, times `factor` after every `epochs` epochs: factor^floor(epoch / epochs). Moves at the beginning of
/// epochs. PyTorch's StepLR.
struct PeriodicDecay {
  Integer epochs = 0;   ///< at least 1
  double factor = 0.1;  ///< above 0 and finite

  void check() const {
    detail::require(epochs >= 1, "PeriodicDecay.epochs", "at least 1", epochs);
    detail::require(factor > 0 && std::isfinite(factor), "PeriodicDecay.factor", "above 0 and finite", factor);
  }

  double operator()(const Clock& clock) const { return std::pow(factor, static_cast<double>(clock.epoch / epochs)); }
};

}  // namespace regimen::inline v0
