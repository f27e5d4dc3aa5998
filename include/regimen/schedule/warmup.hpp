#pragma once
// No LibTorch.

#include <cmath>

#include "regimen/schedule.hpp"

namespace regimen::inline v0 {

/// From `start` to 1 in a straight line over `epochs` (which may be a fraction of one), 1 afterwards.
///     phase.lr_scale = regimen::LinearWarmup{.epochs = 5} * regimen::Cosine{.epochs = 90};
struct LinearWarmup {
  double epochs = 1;
  double start = 0;

  void check() const {
    detail::require(epochs > 0, "LinearWarmup.epochs", "above 0", epochs);
    detail::require(start >= 0 && start <= 1, "LinearWarmup.start", "in [0, 1]", start);
  }

  double operator()(const Clock& clock) const {
    const double progress = std::fmin(clock.position() / epochs, 1.0);
    return start + (1 - start) * progress;
  }
};

}  // namespace regimen::inline v0
