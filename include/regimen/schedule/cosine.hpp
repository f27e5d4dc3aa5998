#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/schedule/concept.hpp"
#include "regimen/schedule/detail/half_cosine.hpp"

namespace regimen::inline v0 {

/// A fall from 1 to `floor` along half a cosine over `epochs`; `floor` afterwards (Loshchilov and Hutter, SGDR, eq. 5).
/// PyTorch's CosineAnnealingLR, except that that one rises again after its end.
struct Cosine {
  double epochs = 0;  ///< duration, above 0; may be a fraction
  double floor = 0;   ///< final value, in [0, 1]

  void check() const {
    detail::require(epochs > 0, "Cosine.epochs", "above 0", epochs);
    detail::require(floor >= 0 && floor <= 1, "Cosine.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    return floor + (1 - floor) * detail::half_cosine(std::fmin(clock.progress(0, epochs), 1.0));
  }
};

/// Repeated falls from 1 to `floor` along half a cosine, the first over `epochs`, each further one over `growth` times
/// as many epochs as the one before (SGDR with its T_0 and T_mult; Loshchilov and Hutter 2017, eq. 5). PyTorch's
/// CosineAnnealingWarmRestarts.
///     phase.lr_scale = regimen::CosineRestarts{.epochs = 10, .growth = 2};   // restarts at 10, 30, 70, ...
struct CosineRestarts {
  double epochs = 0;  ///< duration of the first period, above 0; may be a fraction
  double growth = 1;  ///< duration of a period over that of the one before, at least 1 and finite
  double floor = 0;   ///< final value of each period, in [0, 1]

  void check() const {
    detail::require(epochs > 0, "CosineRestarts.epochs", "above 0", epochs);
    detail::require(growth >= 1 && std::isfinite(growth), "CosineRestarts.growth", "at least 1 and finite", growth);
    detail::require(floor >= 0 && floor <= 1, "CosineRestarts.floor", "in [0, 1]", floor);
  }

  double operator()(const Clock& clock) const {
    // Rounding may make the division one too large: start one period earlier and advance by the clock.
    double period = growth == 1 ? std::fmax(std::floor(clock.position() / epochs) - 1, 0.0) : 0;
    while (clock.reached(begin_of(period + 1))) {
      ++period;
    }
    return floor + (1 - floor) * detail::half_cosine(clock.progress(begin_of(period), begin_of(period + 1)));
  }

 private:
  /// Begin of period number `period` (0, 1, ...) in epochs.
  [[nodiscard]] double begin_of(double period) const {
    // expm1 and log1p keep growth^period - 1 accurate if growth is close to 1.
    return growth == 1 ? epochs * period : epochs * std::expm1(period * std::log1p(growth - 1)) / (growth - 1);
  }
};

}  // namespace regimen::inline v0
