#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// Exponential decay from 1: factor^position, with the position in epochs. Changes with every batch; PyTorch's
/// ExponentialLR, which changes once an epoch, has the same values at the beginning of epochs.
struct ExponentialDecay {
  double factor = 0.95;  ///< factor per epoch, above 0 and finite

  void check() const {
    detail::require(factor > 0 && std::isfinite(factor), "ExponentialDecay.factor", "above 0 and finite", factor);
  }

  double operator()(const Clock& clock) const { return std::pow(factor, clock.position()); }
};

/// A straight line from `from` to `to` over `epochs`; `to` afterwards. PyTorch's LinearLR.
struct LinearDecay {
  double epochs = 0;  ///< duration, above 0; may be a fraction
  double from = 1;    ///< finite
  double to = 0;      ///< finite

  void check() const {
    detail::require(epochs > 0, "LinearDecay.epochs", "above 0", epochs);
    detail::require(std::isfinite(from), "LinearDecay.from", "finite", from);
    detail::require(std::isfinite(to), "LinearDecay.to", "finite", to);
  }

  double operator()(const Clock& clock) const { return from + (to - from) * std::fmin(clock.progress(0, epochs), 1.0); }
};

/// A fall from 1 to `floor` along (1 - progress)^power over `epochs`; `floor` afterwards. A straight line for power 1;
/// slower at first for smaller powers (0.9 in DeepLab; Chen et al. 2018), faster for larger ones. PyTorch's
/// PolynomialLR.
struct PolynomialDecay {
  double epochs = 0;  ///< duration, above 0; may be a fraction
  double power = 2;   ///< above 0 and finite
  double floor = 0;   ///< final value, in [0, 1]

  void check() const {
    detail::require(epochs > 0, "PolynomialDecay.epochs", "above 0", epochs);
    detail::require(power > 0 && std::isfinite(power), "PolynomialDecay.power", "above 0 and finite", power);
    detail::require(floor >= 0 && floor <= 1, "PolynomialDecay.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    return floor + (1 - floor) * std::pow(1 - std::fmin(clock.progress(0, epochs), 1.0), power);
  }
};

}  // namespace regimen::inline v0
