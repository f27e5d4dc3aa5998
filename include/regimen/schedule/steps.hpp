#pragma once
// No LibTorch.

#include <cmath>
#include <cstdint>
#include <vector>

#include "regimen/base/integer.hpp"
#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// A schedule with one value at all times.
struct Constant {
  double value = 1;  ///< any number

  double operator()(const Clock& /*clock*/) const { return value; }
};

/// A scale that begins at 1 and is multiplied by `factor` at each of the epochs in `at`, counted from 0: {150, 250}
/// changes the 151st epoch. Changes at the beginning of epochs. PyTorch's MultiStepLR.
///     phase.lr_scale = regimen::StepDecay{{150, 250}, 0.1};
struct StepDecay {
  Integers at;          ///< epochs in any order; if empty, the scale stays 1
  double factor = 0.1;  ///< factor at each step, above 0 and finite

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

/// A scale that begins at 1 and is multiplied by `factor` after every `epochs` epochs: factor^floor(epoch / epochs).
/// Changes at the beginning of epochs. PyTorch's StepLR.
struct PeriodicDecay {
  Integer epochs = 0;   ///< period, at least 1
  double factor = 0.1;  ///< factor for each period, above 0 and finite

  void check() const {
    detail::require(epochs >= 1, "PeriodicDecay.epochs", "at least 1", epochs);
    detail::require(factor > 0 && std::isfinite(factor), "PeriodicDecay.factor", "above 0 and finite", factor);
  }

  double operator()(const Clock& clock) const { return std::pow(factor, static_cast<double>(clock.epoch / epochs)); }
};

}  // namespace regimen::inline v0
