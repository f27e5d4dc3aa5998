#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/schedule/concept.hpp"

namespace regimen::inline v0 {

/// 1 at first, times `factor` over each epoch: factor^position. Moves with every batch; PyTorch's ExponentialLR, which
/// moves once an epoch, agrees at the beginning of each.
struct ExponentialDecay {
  double factor = 0.95;  ///< above 0 and finite

  void check() const {
    detail::require(factor > 0 && std::isfinite(factor), "ExponentialDecay.factor", "above 0 and finite", factor);
  }

  double operator()(const Clock& clock) const { return std::pow(factor, clock.position()); }
};

/// From `from` to `to` in a straight line over `epochs`, `to` afterwards. PyTorch's LinearLR.
struct LinearDecay {
  double epochs = 0;  ///< above 0, a fraction too
  double from = 1;    ///< finite
  double to = 0;      ///< finite

  void check() const {
    detail::require(epochs > 0, "LinearDecay.epochs", "above 0", epochs);
    detail::require(std::isfinite(from), "LinearDecay.from", "finite", from);
    detail::require(std::isfinite(to), "LinearDecay.to", "finite", to);
  }

  double operator()(const Clock& clock) const { return from + (to - from) * std::fmin(clock.progress(0, epochs), 1.0); }
};

/// From 1 to `floor` along (1 - progress)^power over `epochs`, `floor` afterwards: a straight line with power 1, late
/// with less, early with more (0.9 in DeepLab; Chen et al. 2018). PyTorch's PolynomialLR.
struct PolynomialDecay {
  double epochs = 0;  ///< above 0, a fraction too
  double power = 2;   ///< above 0 and finite
  double floor = 0;   ///< in [0, 1]

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
