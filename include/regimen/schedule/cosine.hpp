#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/schedule/concept.hpp"
#include "regimen/schedule/detail/half_cosine.hpp"

namespace regimen::inline v0 {

/// From 1 to `floor` along half a cosine, over `epochs`; `floor` afterwards (Loshchilov and Hutter, SGDR, eq. 5).
/// PyTorch's CosineAnnealingLR, which rises again after its end.
struct Cosine {
  double epochs = 0;  ///< above 0, a fraction too
  double floor = 0;   ///< in [0, 1]

  void check() const {
    detail::require(epochs > 0, "Cosine.epochs", "above 0", epochs);
    detail::require(floor >= 0 && floor <= 1, "Cosine.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    return floor + (1 - floor) * detail::half_cosine(std::fmin(clock.progress(0, epochs), 1.0));
  }
};

/// From 1 to `floor` along half a cosine over `epochs`, then from 1 anew, each time over `growth` times as many epochs
/// (SGDR with its T_0 and T_mult; Loshchilov and Hutter 2017, eq. 5). PyTorch's CosineAnnealingWarmRestarts.
///     phase.lr_scale = regimen::CosineRestarts{.epochs = 10, .growth = 2};   // restarts at 10, 30, 70, ...
struct CosineRestarts {
  double epochs = 0;  ///< of the first period: above 0, a fraction too
  double growth = 1;  ///< of a period to the next: at least 1 and finite
  double floor = 0;   ///< in [0, 1]

  void check() const {
    detail::require(epochs > 0, "CosineRestarts.epochs", "above 0", epochs);
    detail::require(growth >= 1 && std::isfinite(growth), "CosineRestarts.growth", "at least 1 and finite", growth);
    detail::require(floor >= 0 && floor <= 1, "CosineRestarts.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    // The period before the one that the last bit of a double may have counted too few, and from there on by the clock.
    double period = growth == 1 ? std::fmax(std::floor(clock.position() / epochs) - 1, 0.0) : 0;
    while (clock.reached(begin_of(period + 1))) {
      ++period;
    }
    return floor + (1 - floor) * detail::half_cosine(clock.progress(begin_of(period), begin_of(period + 1)));
  }

 private:
  /// When a period begins, in epochs; the first is 0.
  [[nodiscard]] double begin_of(double period) const {
    // growth^period - 1, also where growth is little more than 1.
    return growth == 1 ? epochs * period : epochs * std::expm1(period * std::log1p(growth - 1)) / (growth - 1);
  }
};

}  // namespace regimen::inline v0
